#!/usr/bin/env python3
"""Run YAMNet over audio files and keep what it hears.

YAMNet (Apache-2.0, Google) takes 0.975 s of 16 kHz mono audio and gives 521 AudioSet scores; the layer below them
is a 1024-dimensional embedding that transfers well. It never saw the labels of our recordings.

For every audio file under the given folders the output folder receives one NPZ, named by the SHA-1 of the file's
path relative to --root, with:

    path        the relative path
    embedding   [n, 1024] float16   one row a window
    score       [n, 521]  float16   AudioSet scores of the same windows
    hop_s       0.48: row i covers i*hop_s .. i*hop_s + 0.975 seconds

Files that are already there are left alone, so an interrupted run continues where it stopped.

    python lab/teachers/yamnet_embed.py --model yamnet.tflite --root AUDIO --out DIR AUDIO/train AUDIO/generated
"""

import argparse
import pathlib
import tempfile

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from recordings import keep, unheard

RATE = 16_000
WINDOW = 15_600
HOP = 7_680
EMBEDDING = "global_average_pooling2d/Mean"


def with_embedding_output(path: pathlib.Path) -> bytes:
    """The model with the embedding tensor as its only further output."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph = model.subgraphs[0]
    index = next(i for i, t in enumerate(graph.tensors) if t.name.decode().endswith(EMBEDDING))
    graph.outputs = [graph.outputs[0], index]
    model.signatureDefs = None
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--root", type=pathlib.Path, required=True, help="paths are stored relative to this")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("folders", type=pathlib.Path, nargs="+")
    args = parser.parse_args()

    with tempfile.NamedTemporaryFile(suffix=".tflite") as patched:
        patched.write(with_embedding_output(args.model))
        patched.flush()
        net = Interpreter(patched.name, num_threads=1)
        net.allocate_tensors()
    feed = net.get_input_details()[0]
    scores, embedding = net.get_output_details()

    for mono, relative, target in unheard(args.folders, args.root, args.out, RATE):
        mono = np.pad(mono, (0, max(0, WINDOW - len(mono))))
        rows_e, rows_s = [], []
        for start in range(0, len(mono) - WINDOW + 1, HOP):
            net.set_tensor(feed["index"], mono[None, start : start + WINDOW])
            net.invoke()
            rows_s.append(net.get_tensor(scores["index"])[0])
            rows_e.append(net.get_tensor(embedding["index"])[0])
        keep(
            target,
            path=relative,
            embedding=np.array(rows_e, np.float16),
            score=np.array(rows_s, np.float16),
            hop_s=HOP / RATE,
        )


if __name__ == "__main__":
    main()
