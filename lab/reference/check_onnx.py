"""Checks ONNX files with onnx.checker and runs them in ONNX Runtime.

Argument: a folder. For every NAME.onnx in it and every NAME.T.features there (T frames of 32-bit floats, frame by
frame), writes NAME.T.probabilities and NAME.T.logits (32-bit floats, class by class, then frame by frame).
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort


def main(folder):
    checked = 0
    for path in sorted(folder.glob("*.onnx")):
        onnx.checker.check_model(str(path), full_check=True)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        # Without this, 8-bit sums saturate on processors without 8-bit dot products.
        options.add_session_config_entry("session.x64quantprecision", "1")
        if path.stem.startswith("mixed"):
            # Fusing across FP32 and INT8 changes where is rounded; node by node it is as the file says.
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        (entry,) = session.get_inputs()
        for features in sorted(folder.glob(f"{path.stem}.*.features")):
            frames = int(features.name.split(".")[-2])
            window = np.fromfile(features, "<f4").reshape(frames, entry.shape[2]).T[None, None]
            results = session.run(["probabilities", "logits"], {entry.name: np.ascontiguousarray(window)})
            for what, result in zip(("probabilities", "logits"), results):
                result.astype("<f4").tofile(features.with_suffix(f".{what}"))
            checked += 1
    if checked == 0:
        sys.exit(f"{folder} holds no model with features")


main(Path(sys.argv[1]))
