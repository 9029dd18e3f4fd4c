#!/usr/bin/env python3
"""Run musicnn over audio files and keep what it hears.

musicnn (ISC, Music Technology Group, Universitat Pompeu Fabra; Pons & Serra, "musicnn: pre-trained convolutional neural
networks for music audio tagging", 2019) gives the probabilities of 50 tags every 3 s. Two of its networks are used: one
trained on the Million Song Dataset (tags such as rock, jazz, electronic) and one on MagnaTagATune (classical, opera,
techno). The package holds the weights as TensorFlow 1 checkpoints; they are read and run here with numpy alone, layer by
layer as the package describes them, the whole file in one go instead of 3 s by 3 s.

For every audio file under the given folders the output folder receives one NPZ, named by the SHA-1 of the file's path
relative to --root, with:

    path             the relative path
    msd, mtt         [n, 50]  float16   tag logits of each network, one row a window
    msd_p, mtt_p     [n, 200] float16   the layer below them
    hop_s            0.96: row i covers i*hop_s .. i*hop_s + 2.99 seconds

Files that are already there are left alone, so an interrupted run continues where it stopped.

    pip download --no-deps musicnn==0.1.0 && unzip musicnn-0.1.0-*.whl 'musicnn/*' -d MUSICNN
    python lab/teachers/musicnn_embed.py --package MUSICNN/musicnn --root AUDIO --out DIR AUDIO/train AUDIO/unlabelled
"""

import argparse
import pathlib
import struct

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from recordings import keep, unheard

RATE = 16_000
FFT, HOP, BANDS = 512, 256, 96
WINDOW, WINDOW_HOP = 187, 60  # frames: 2.99 s, 0.96 s
LONGEST_S = 40


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A base-128 number and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def table_block(data: bytes, offset: int, size: int) -> list[tuple[bytes, bytes]]:
    """Keys and values of one block of a LevelDB table, the format of a checkpoint's index."""
    if data[offset + size] != 0:
        raise ValueError("the checkpoint's index is compressed, which TensorFlow does not do")
    block = data[offset : offset + size]
    restarts = struct.unpack("<I", block[-4:])[0]
    end, at, key, rows = len(block) - 4 - 4 * restarts, 0, b"", []
    while at < end:
        shared, at = varint(block, at)
        own, at = varint(block, at)
        length, at = varint(block, at)
        key = key[:shared] + block[at : at + own]
        at += own
        rows.append((key, block[at : at + length]))
        at += length
    return rows


def message(data: bytes) -> dict[int, list]:
    """Fields of a protocol buffer message by number."""
    at, fields = 0, {}
    while at < len(data):
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            if kind == 2:
                size, at = varint(data, at)
            else:
                size = 4 if kind == 5 else 8
            value = data[at : at + size]
            at += size
        fields.setdefault(number, []).append(value)
    return fields


def read_checkpoint(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """All float32 tensors of a TensorFlow checkpoint."""
    index = (folder / ".index").read_bytes()
    data = (folder / ".data-00000-of-00001").read_bytes()
    footer, at = index[-48:], 0
    _, at = varint(footer, at)
    _, at = varint(footer, at)
    offset, at = varint(footer, at)
    size, at = varint(footer, at)
    tensors = {}
    for _, handle in table_block(index, offset, size):
        start, at = varint(handle, 0)
        length, _ = varint(handle, at)
        for key, value in table_block(index, start, length):
            entry = message(value)
            if key and entry.get(1, [0])[0] == 1:
                shape = [message(d).get(1, [0])[0] for d in message(entry.get(2, [b""])[0]).get(2, [])]
                begin, count = entry.get(4, [0])[0], entry.get(5, [0])[0]
                tensors[key.decode()] = np.frombuffer(data[begin : begin + count], np.float32).reshape(shape)
    return tensors


def mel_filters() -> np.ndarray:
    """[bins, bands]: triangles on Slaney's mel scale, each of area 1, 0 Hz to half the rate."""
    step = np.log(6.4) / 27

    def mel(hz):
        return np.where(hz < 1000, hz * 3 / 200, 15 + np.log(np.maximum(hz, 1) / 1000) / step)

    def hertz(mel):
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(step * (mel - 15)))

    edges = hertz(np.linspace(0, mel(np.array(RATE / 2)), BANDS + 2))
    slopes = edges[:, None] - np.linspace(0, RATE / 2, FFT // 2 + 1)[None]
    width = np.diff(edges)[:, None]
    triangles = np.maximum(0, np.minimum(-slopes[:-2] / width[:-1], slopes[2:] / width[1:]))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32).T


def spectrogram(mono: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """[frames, bands] of compressed mel power, at least one window long."""
    padded = np.pad(mono, FFT // 2)
    hann = np.hanning(FFT + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(sliding_window_view(padded, FFT)[::HOP] * hann, axis=1)) ** 2
    compressed = np.log10(10_000 * (power.astype(np.float32) @ filters) + 1)
    return np.pad(compressed, ((0, max(0, WINDOW - len(compressed))), (0, 0)))


class Network:
    """One of the package's networks, for files of any length."""

    def __init__(self, folder: pathlib.Path):
        self.tensors = read_checkpoint(folder)

    def normalised(self, x: np.ndarray, index: int) -> np.ndarray:
        name = "batch_normalization" + (f"_{index}" if index else "")
        gamma, beta, mean, variance = (
            self.tensors[f"{name}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        gain = gamma / np.sqrt(variance + 1e-3)
        return x * gain + (beta - mean * gain)

    def rising(self, index: int) -> np.ndarray:
        """Which channels' maximum before ReLU and normalisation is their maximum after them."""
        return self.tensors[f"batch_normalization_{index}/gamma"] >= 0

    def timbral(self, x: np.ndarray, conv: str, index: int) -> np.ndarray:
        """7 frames by a part of the bands, the largest over all positions in frequency."""
        kernel = self.tensors[f"{conv}/kernel"][:, :, 0]
        bands = kernel.shape[1]
        flat = np.ascontiguousarray(kernel.transpose(1, 0, 2)).reshape(bands * 7, -1)
        patches = sliding_window_view(np.pad(x, ((3, 3), (0, 0))), 7, axis=0)
        high = low = None
        for row in range(x.shape[1] - bands + 1):
            y = np.ascontiguousarray(patches[:, row : row + bands]).reshape(len(x), -1) @ flat
            high = y if high is None else np.maximum(high, y)
            low = y if low is None else np.minimum(low, y)
        y = np.where(self.rising(index), high, low) + self.tensors[f"{conv}/bias"]
        return self.normalised(np.maximum(y, 0), index)

    def temporal(self, x: np.ndarray, conv: str, index: int) -> np.ndarray:
        """Long kernels in time on each band, the largest over the bands."""
        kernel = self.tensors[f"{conv}/kernel"][:, 0, 0]
        length = len(kernel)
        before = (length - 1) // 2
        patches = sliding_window_view(np.pad(x, ((before, length - 1 - before), (0, 0))), length, axis=0)
        y = np.empty((len(x), kernel.shape[1]), np.float32)
        for at in range(0, len(x), 64):
            part = np.ascontiguousarray(patches[at : at + 64]) @ kernel
            y[at : at + 64] = np.where(self.rising(index), part.max(axis=1), part.min(axis=1))
        return self.normalised(np.maximum(y + self.tensors[f"{conv}/bias"], 0), index)

    def middle(self, x: np.ndarray, conv: str, index: int) -> np.ndarray:
        """7 frames by all channels."""
        kernel = self.tensors[f"{conv}/kernel"][:, :, 0]
        padded = np.pad(x, ((3, 3), (0, 0)))
        y = sum(padded[tap : tap + len(x)] @ kernel[tap] for tap in range(7))
        return self.normalised(np.maximum(y + self.tensors[f"{conv}/bias"], 0), index)

    def run(self, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tag logits and the layer below them, one row a window."""
        x = self.normalised(spectra, 0).astype(np.float32)
        front = np.concatenate(
            [self.timbral(x, "conv2d", 1), self.timbral(x, "conv2d_1", 2)]
            + [self.temporal(x, f"conv2d_{i}", i + 1) for i in (2, 3, 4)],
            axis=1,
        )
        first = self.middle(front, "conv2d_5", 6)
        second = self.middle(first, "conv2d_6", 7) + first
        third = self.middle(second, "conv2d_7", 8) + second
        maps = np.concatenate([front, first, second, third], axis=1)
        windows = [maps[at : at + WINDOW] for at in range(0, len(maps) - WINDOW + 1, WINDOW_HOP)]
        pooled = np.array([np.stack([w.max(axis=0), w.mean(axis=0)], axis=1).ravel() for w in windows])
        dense = self.normalised(pooled, 9) @ self.tensors["dense/kernel"] + self.tensors["dense/bias"]
        dense = self.normalised(np.maximum(dense, 0), 10)
        return dense @ self.tensors["dense_1/kernel"] + self.tensors["dense_1/bias"], dense


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=pathlib.Path, required=True, help="the package's folder `musicnn`")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="paths are stored relative to this")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("folders", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    networks = {name: Network(args.package / f"{name.upper()}_musicnn") for name in ("msd", "mtt")}
    filters = mel_filters()

    for mono, relative, target in unheard(args.folders, args.root, args.out, RATE):
        spectra = spectrogram(mono[: LONGEST_S * RATE], filters)
        rows = {}
        for name, network in networks.items():
            logits, below = network.run(spectra)
            rows[name], rows[f"{name}_p"] = logits.astype(np.float16), below.astype(np.float16)
        keep(target, path=relative, hop_s=WINDOW_HOP * HOP / RATE, **rows)


if __name__ == "__main__":
    main()
