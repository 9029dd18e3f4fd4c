"""Runs TFLite files in LiteRT and reads their metadata with TFLite's own schema.

Argument: a folder. For every NAME.tflite in it and every NAME.T.features there (T frames of 32-bit floats, frame by
frame), writes NAME.T.probabilities and NAME.T.logits (32-bit floats, frame by frame, then class by class), and
NAME.metadata, a JSON object.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter


def metadata(content):
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    assert model.version == 3 and len(model.subgraphs) == 1
    return {entry.name.decode(): bytes(model.buffers[entry.buffer].data).decode() for entry in model.metadata}


def main(folder):
    checked = 0
    for path in sorted(folder.glob("*.tflite")):
        content = path.read_bytes()
        path.with_suffix(".metadata").write_text(json.dumps(metadata(content)))
        interpreter = Interpreter(model_content=content, num_threads=1)
        (entry,) = interpreter.get_input_details()
        outputs = interpreter.get_output_details()
        for features in sorted(folder.glob(f"{path.stem}.*.features")):
            frames = int(features.name.split(".")[-2])
            shape = [1, frames, int(entry["shape"][2]), 1]
            interpreter.resize_tensor_input(entry["index"], shape)
            interpreter.allocate_tensors()
            interpreter.set_tensor(entry["index"], np.fromfile(features, "<f4").reshape(shape))
            interpreter.invoke()
            for what, output in zip(("probabilities", "logits"), outputs):
                interpreter.get_tensor(output["index"]).astype("<f4").tofile(features.with_suffix(f".{what}"))
            checked += 1
    if checked == 0:
        sys.exit(f"{folder} holds no model with features")


main(Path(sys.argv[1]))
