#!/usr/bin/env python3
"""Run an EfficientAT network over audio files and keep what it hears.

EfficientAT (MIT, Florian Schmid, Johannes Kepler University Linz; Schmid, Koutini & Widmer, "Efficient Large-Scale Audio
Tagging via Transformer-to-CNN Knowledge Distillation", ICASSP 2023) gives the probabilities of AudioSet's 527 classes. Its
networks are MobileNetV3 (Howard et al., "Searching for MobileNetV3", 2019) on 128 mel bands of 32 kHz audio; the smallest one,
mn04_as (1 M weights), hears AudioSet's classes better than YAMNet does (mean average precision 0.432 against 0.306). The weights
are read from PyTorch's file without PyTorch, written as an ONNX graph and run by ONNX Runtime.

For every audio file under the given folders the output folder receives one NPZ, named by the SHA-1 of the file's
path relative to --root, with:

    path        the relative path
    logit       [n, 527] float16   of AudioSet's classes, one row a window
    hidden      [n, h]   float16   the layer below them
    pooled      [n, c]   float16   the mean of the last convolution over the window
    hop_s       0.96: row i is heard in the 4.8 s around i*hop_s + 0.48 seconds

Files that are already there are left alone, so an interrupted run continues where it stopped.

    python lab/teachers/efficientat_embed.py --weights mn04_as_mAP_432.pt --root AUDIO --out DIR AUDIO/train AUDIO/unlabelled
"""

import argparse
import pathlib
import pickle
import zipfile

import numpy as np
import onnx
import onnxruntime
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper
from recordings import keep, unheard

RATE = 32_000
FFT, FRAME, HOP, BANDS = 1024, 800, 320, 128
TOP_HZ = 15_000
ROW, WINDOW = 96, 480  # mel frames: 0.96 s, 4.8 s
LONGEST_S = 40
# Table 1 of the MobileNetV3 paper: the blocks that halve time and frequency, and from which block on the activation is
# hard swish instead of ReLU. Kernel sizes and widths are in the weights' shapes.
HALVING = {2, 4, 7, 13}
FIRST_SWISH = 7
EPSILON = 1e-3  # of batch normalization


class Weights(pickle.Unpickler):
    """Reads the tensors of a PyTorch file, and nothing else that a pickle might ask for."""

    def __init__(self, archive: zipfile.ZipFile):
        self.archive = archive
        self.folder = archive.namelist()[0].split("/")[0]
        super().__init__(archive.open(f"{self.folder}/data.pkl"))

    def find_class(self, module: str, name: str):
        if name == "OrderedDict":
            return dict
        if name == "_rebuild_tensor_v2":
            return self.tensor
        if name.endswith("Storage"):
            return {"FloatStorage": np.float32, "HalfStorage": np.float16, "LongStorage": np.int64}[name]
        raise pickle.UnpicklingError(f"{module}.{name} is not part of a file of weights")

    def persistent_load(self, where):
        _, kind, key, *_ = where
        return np.frombuffer(self.archive.read(f"{self.folder}/data/{key}"), kind)

    @staticmethod
    def tensor(storage, offset, size, stride, *_):
        steps = [s * storage.itemsize for s in stride]
        return np.lib.stride_tricks.as_strided(storage[offset:], size, steps).astype(np.float32)


def mel_filters() -> np.ndarray:
    """[bins, bands]: triangles that are straight on the mel axis, as Kaldi makes them."""

    def mel(hz):
        return 1127 * np.log(1 + hz / 700)

    edges = np.linspace(0, mel(TOP_HZ), BANDS + 2)
    at = mel(np.arange(FFT // 2) * RATE / FFT)[:, None]
    rising = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.pad(triangles, ((0, 1), (0, 0))).astype(np.float32)


def spectrogram(mono: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """[bands, frames] of log mel power."""
    emphasized = mono[1:] - 0.97 * mono[:-1]
    padded = np.pad(emphasized, FFT // 2, mode="reflect")
    window = np.pad(np.hanning(FRAME), (FFT - FRAME) // 2).astype(np.float32)
    power = np.abs(np.fft.rfft(sliding_window_view(padded, FFT)[::HOP] * window, axis=1)) ** 2
    return ((np.log(power.astype(np.float32) @ filters + 1e-5) + 4.5) / 5).T


class Graph:
    """Writes the network as ONNX, batch normalization folded into the convolutions."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights, self.nodes, self.constants = weights, [], []

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def node(self, kind: str, *inputs: str, **settings) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **settings))
        return name

    def convolution(self, x: str, name: str, stride: int = 1, depthwise: bool = False) -> str:
        kernel = self.weights[f"{name}.0.weight"]
        norm = {part: self.weights[f"{name}.1.{part}"] for part in ("weight", "bias", "running_mean", "running_var")}
        gain = norm["weight"] / np.sqrt(norm["running_var"] + EPSILON)
        bias = norm["bias"] - norm["running_mean"] * gain
        return self.node(
            "Conv", x, self.constant(kernel * gain[:, None, None, None]), self.constant(bias),
            strides=[stride] * 2, pads=[kernel.shape[2] // 2] * 4,
            group=len(kernel) if depthwise else 1,
        )

    def linear(self, x: str, name: str) -> str:
        return self.node("Gemm", x, self.constant(self.weights[f"{name}.weight"]),
                         self.constant(self.weights[f"{name}.bias"]), transB=1)

    def squeezed(self, x: str, name: str) -> str:
        """Each channel made louder or softer by the means of all (squeeze and excitation)."""
        means = self.node("Flatten", self.node("GlobalAveragePool", x))
        gains = self.node("Sigmoid", self.linear(self.node("Relu", self.linear(means, f"{name}.fc1")), f"{name}.fc2"))
        shape = numpy_helper.from_array(np.array([0, -1, 1, 1]), f"s{len(self.constants)}")
        self.constants.append(shape)
        return self.node("Mul", x, self.node("Reshape", gains, shape.name))

    def block(self, x: str, index: int) -> str:
        """Widen, filter each channel, weigh the channels, narrow."""
        activation = "HardSwish" if index >= FIRST_SWISH else "Relu"
        name = f"features.{index}.block"
        parts = sorted({int(key.split(".")[3]) for key in self.weights if key.startswith(f"{name}.")})
        y = x
        for part in parts:
            at = f"{name}.{part}"
            if f"{at}.0.weight" not in self.weights:
                y = self.squeezed(y, f"{at}.conc_se_layers.0")
                continue
            depthwise = self.weights[f"{at}.0.weight"].shape[2] > 1
            y = self.convolution(y, at, 2 if depthwise and index in HALVING else 1, depthwise)
            if part != parts[-1]:
                y = self.node(activation, y)
        narrow = self.weights[f"{name}.{parts[-1]}.0.weight"].shape[0]
        wide_in = self.weights[f"{name}.{parts[0]}.0.weight"]
        came = wide_in.shape[0] if wide_in.shape[2] > 1 else wide_in.shape[1]
        return self.node("Add", y, x) if index not in HALVING and came == narrow else y

    def finish(self) -> bytes:
        blocks = max(int(key.split(".")[1]) for key in self.weights if key.startswith("features.")) - 1
        x = self.node("HardSwish", self.convolution("mel", "features.0", 2))
        for index in range(1, blocks + 1):
            x = self.block(x, index)
        x = self.node("HardSwish", self.convolution(x, f"features.{blocks + 1}"))
        pooled = self.node("Flatten", self.node("GlobalAveragePool", x))
        hidden = self.node("HardSwish", self.linear(pooled, "classifier.2"))
        logits = self.linear(hidden, "classifier.5")
        outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in (logits, hidden, pooled)]
        feed = helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["n", 1, BANDS, "t"])
        graph = helper.make_graph(self.nodes, "efficientat", [feed], outputs, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=pathlib.Path, required=True, help="a file of EfficientAT's releases, such as mn04_as_mAP_432.pt")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="paths are stored relative to this")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("folders", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    with zipfile.ZipFile(args.weights) as archive:
        network = Graph(Weights(archive).load()).finish()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    filters = mel_filters()

    for mono, relative, target in unheard(args.folders, args.root, args.out, RATE):
        mel = spectrogram(mono[: LONGEST_S * RATE], filters)
        # Windows lie around their row, but inside the file; a file that is shorter than a window is one.
        last = max(0, mel.shape[1] - WINDOW)
        rows = max(1, mel.shape[1] // ROW)
        starts = [min(last, max(0, row * ROW + (ROW - WINDOW) // 2)) for row in range(rows)]
        heard = {start: session.run(None, {"mel": mel[None, None, :, start : start + WINDOW]}) for start in set(starts)}
        logit, hidden, pooled = (np.concatenate([heard[s][i] for s in starts]).astype(np.float16) for i in range(3))
        keep(target, path=relative, logit=logit, hidden=hidden, pooled=pooled, hop_s=ROW * HOP / RATE)


if __name__ == "__main__":
    main()
