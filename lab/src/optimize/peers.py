"""Measures one window of networks in ONNX Runtime (ONNX files) and LiteRT (TFLite files), on one thread, when asked.

Arguments: frames in the window, how far probabilities may be away to be the same answer and to be of the same network, then
for each file its label, its path and the probabilities that it should give. Prints "case ENGINE, LABEL" for what it
measures, "note WHAT" where that answers otherwise and "skip WHY" for what it leaves out, then "ready -". Each line with a
case's number on the way in is answered with the microseconds of one window (the median of some runs).
"""

import statistics
import sys
import time

import numpy as np

FRAMES, SAME, ALIKE = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
FILES = list(zip(sys.argv[4::3], sys.argv[5::3], sys.argv[6::3]))
RUNS = 5


def window(rows):
    """Frame by frame, as the program that asks has it."""
    frame, row = np.meshgrid(np.arange(FRAMES), np.arange(rows), indexing="ij")
    return ((7 * row + 3 * frame) % 33 / 8 - 2).astype(np.float32)


def onnx_runtime(path, exact):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    if exact:
        # Without this, 8-bit sums saturate on processors without 8-bit dot products.
        options.add_session_config_entry("session.x64quantprecision", "1")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    feed = {entry.name: np.ascontiguousarray(window(entry.shape[2]).T)[None, None]}
    engine = f"ONNX Runtime {'(exact sums) ' if exact else ''}{ort.__version__}"
    return engine, lambda: session.run(["probabilities"], feed)[0]


def lite_rt(path):
    import ai_edge_litert
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path, num_threads=1)
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rows = int(entry["shape"][2])
    interpreter.resize_tensor_input(entry["index"], [1, FRAMES, rows, 1])
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], window(rows)[None, :, :, None])

    def run():
        interpreter.invoke()
        return interpreter.get_tensor(result["index"])

    return f"LiteRT {ai_edge_litert.__version__}", run


def ways(path):
    """What a file can be run in; the next one only where the one before gave another answer."""
    if path.endswith(".tflite"):
        return [("LiteRT", lambda: lite_rt(path))]
    return [
        ("ONNX Runtime", lambda: onnx_runtime(path, False)),
        ("ONNX Runtime (exact sums)", lambda: onnx_runtime(path, True)),
    ]


def main():
    cases = []
    for label, path, wanted in FILES:
        wanted = np.array([float(p) for p in wanted.split(",")], np.float32)
        for engine, make in ways(path):
            try:
                name, run = make()
                off = float(np.max(np.abs(run().ravel() - wanted)))
            except Exception as error:  # whatever an engine lacks is a remark, not a reason to stop
                why = " ".join(f"{type(error).__name__}: {error}".split())
                print("skip", f"{engine}, {label}: {why}", flush=True)
                break
            if not off <= ALIKE:
                print("skip", f"{name}, {label}: answers like another network, {off:.2g} away", flush=True)
                continue
            cases.append(run)
            print("case", f"{name}, {label}", flush=True)
            if off <= SAME:
                break
            print("note", f"{name}, {label}: its probabilities are up to {off:.2g} away from ours", flush=True)
    print("ready -", flush=True)
    for line in sys.stdin:
        run = cases[int(line)]
        times = []
        for _ in range(RUNS):
            started = time.perf_counter()
            run()
            times.append((time.perf_counter() - started) * 1e6)
        print(statistics.median(times), flush=True)


main()
