"""Measures one window of a network in ONNX Runtime and LiteRT, on one thread, when asked.

Arguments: frames in the window, then pairs of label and ONNX file. Prints a line "case NAME" for each case it has and
"skip REASON" for what it lacks, then "ready -". Each line with a case's number on the way in is answered with the
microseconds of one window (the median of some runs).
"""

import statistics
import sys
import time

import numpy as np

FRAMES = int(sys.argv[1])
FILES = list(zip(sys.argv[2::2], sys.argv[3::2]))
RUNS = 5


def onnx_runtime(label, path):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    feed = {entry.name: window(entry.shape[2])}
    return f"ONNX Runtime {ort.__version__}, {label}", lambda: session.run(["probabilities"], feed)


def window(rows):
    row, frame = np.meshgrid(np.arange(rows), np.arange(FRAMES), indexing="ij")
    return np.sin(row * 7.0 + frame).astype(np.float32)[None, None]


def lite_rt(label, path):
    """LiteRT reads TFLite files only, so the ONNX file's layers are written as one first."""
    import ai_edge_litert
    from ai_edge_litert.interpreter import Interpreter

    if label != "FP32":
        raise NotImplementedError("the INT8 network as a TFLite file comes with the optimizer")
    content, rows = tflite(path)
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    sound = window(rows)
    interpreter.set_tensor(entry["index"], np.transpose(sound, (0, 2, 3, 1)))
    interpreter.invoke()
    check(path, sound, interpreter.get_tensor(result["index"]))
    return f"LiteRT {ai_edge_litert.__version__}, {label}", interpreter.invoke


def check(path, sound, got):
    """The written file must be the same network, or its cost would mean nothing."""
    import onnxruntime as ort

    want = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(["probabilities"], {"features": sound})[0]
    worst = float(np.max(np.abs(want - got)))
    if worst > 1e-4:
        raise ValueError(f"the TFLite file answers differently by {worst}")


def tflite(path):
    """The chain of convolutions, the average and the softmax of an FP32 ONNX file as a TFLite file."""
    import flatbuffers
    import onnx
    from ai_edge_litert import schema_py_generated as schema
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    rows = graph.input[0].type.tensor_type.shape.dim[2].dim_value
    buffers, tensors, operators, codes = [schema.BufferT()], [], [], []

    def tensor(shape, data=None, kind=schema.TensorType.FLOAT32):
        entry = schema.TensorT()
        entry.shape, entry.type, entry.buffer = list(shape), kind, 0
        entry.name = f"t{len(tensors)}".encode()
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            buffers.append(buffer)
            entry.buffer = len(buffers) - 1
        tensors.append(entry)
        return len(tensors) - 1

    def operator(code, inputs, output, options_type=0, options=None):
        if code not in codes:
            codes.append(code)
        entry = schema.OperatorT()
        entry.opcodeIndex, entry.inputs, entry.outputs = codes.index(code), inputs, [output]
        entry.builtinOptionsType, entry.builtinOptions = options_type, options
        operators.append(entry)
        return output

    op, kinds = schema.BuiltinOperator, schema.BuiltinOptions
    height, width, channels = rows, FRAMES, 1
    last = first = tensor([1, height, width, channels])
    relu_after = {node.input[0] for node in graph.node if node.op_type == "Relu"}
    for node in graph.node:
        if node.op_type == "Conv":
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            kernel, bias = weights[node.input[1]], weights[node.input[2]]
            outputs, per_group, kernel_h, kernel_w = kernel.shape
            top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
            stride = attributes.get("strides", [1, 1])[0]
            dilation = attributes.get("dilations", [1, 1])[1]
            if any((top, left, bottom, right)):
                height, width = height + top + bottom, width + left + right
                pads = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
                pads = tensor([4, 2], pads, schema.TensorType.INT32)
                padded = tensor([1, height, width, channels])
                last = operator(op.PAD, [last, pads], padded, kinds.PadOptions, schema.PadOptionsT())
            depthwise = attributes.get("group", 1) > 1
            options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
            options.padding = schema.Padding.VALID
            # A depthwise convolution must step alike along both axes here; width has one step only in time.
            options.strideH, options.strideW = stride, 1
            options.dilationHFactor, options.dilationWFactor = 1, dilation
            options.fusedActivationFunction = (
                schema.ActivationFunctionType.RELU if node.output[0] in relu_after else schema.ActivationFunctionType.NONE
            )
            height = (height - kernel_h) // stride + 1
            width = width - (kernel_w - 1) * dilation
            if depthwise:
                options.depthMultiplier = 1
                data = np.transpose(kernel[:, 0], (1, 2, 0))[None]
            else:
                data = np.transpose(kernel, (0, 2, 3, 1))
            inputs = [last, tensor(data.shape, data), tensor(bias.shape, bias)]
            channels = outputs
            result = tensor([1, height, width, channels])
            if depthwise:
                last = operator(op.DEPTHWISE_CONV_2D, inputs, result, kinds.DepthwiseConv2DOptions, options)
            else:
                last = operator(op.CONV_2D, inputs, result, kinds.Conv2DOptions, options)
    mean_options = schema.ReducerOptionsT()
    mean_options.keepDims = False
    axes = tensor([2], np.array([1, 2], np.int32), schema.TensorType.INT32)
    last = operator(op.MEAN, [last, axes], tensor([1, channels]), kinds.ReducerOptions, mean_options)
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    last = operator(op.SOFTMAX, [last], tensor([1, channels]), kinds.SoftmaxOptions, softmax)

    subgraph = schema.SubGraphT()
    subgraph.tensors, subgraph.operators = tensors, operators
    subgraph.inputs, subgraph.outputs, subgraph.name = [first], [last], b"main"
    model = schema.ModelT()
    model.version, model.subgraphs, model.buffers, model.description = 3, [subgraph], buffers, b"bench"
    model.operatorCodes = []
    for code in codes:
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
        model.operatorCodes.append(entry)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output()), rows


def main():
    cases = []
    for engine, make in (("ONNX Runtime", onnx_runtime), ("LiteRT", lite_rt)):
        for label, path in FILES:
            try:
                name, run = make(label, path)
                run()
                cases.append(run)
                print("case", name, flush=True)
            except Exception as error:  # whatever an engine lacks is a remark, not a reason to stop
                why = " ".join(f"{type(error).__name__}: {error}".split())
                print("skip", f"{engine}, {label}: {why}", flush=True)
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
