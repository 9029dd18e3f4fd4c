"""Sound files as the teachers hear them, and where what they heard is kept."""

import hashlib
import pathlib
import sys

import av
import numpy as np

EXTENSIONS = {".opus", ".ogg", ".oga", ".flac", ".wav", ".mp3"}


def read_mono(path: pathlib.Path, rate: int, sample_format: str = "flt") -> np.ndarray:
    """The file as mono at `rate`, as 32-bit floating point ("flt") or 16-bit numbers ("s16")."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format=sample_format, layout="mono", rate=rate)
        blocks = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        blocks += resampler.resample(None)
    return np.concatenate([b.to_ndarray()[0] for b in blocks])


def unheard(folders: list[pathlib.Path], root: pathlib.Path, out: pathlib.Path, rate: int):
    """(mono at `rate`, path relative to `root`, where its NPZ goes) of each sound file that has none yet.

    Tells how far it is, and which files cannot be read; those are left out.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = sorted(f for d in folders for f in d.rglob("*") if f.suffix.lower() in EXTENSIONS)
    for done, file in enumerate(files):
        relative = file.relative_to(root).as_posix()
        target = out / (hashlib.sha1(relative.encode()).hexdigest() + ".npz")
        if not target.exists():
            try:
                mono = read_mono(file, rate)
            except (av.FFmpegError, ValueError) as error:
                print(f"{file}: {error}", file=sys.stderr)
                continue
            yield mono, relative, target
            if done % 25 == 0:
                print(f"{done + 1}/{len(files)} {relative}", flush=True)


def keep(target: pathlib.Path, **rows) -> None:
    """Writes an NPZ, whole or not at all."""
    partial = target.with_suffix(".part.npz")
    np.savez(partial, **rows)
    partial.rename(target)
