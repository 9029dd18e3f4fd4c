#!/usr/bin/env python3
"""Cut short excerpts from long recordings, as unlabelled material for distillation.

From every sound file named on standard input (one path a line) excerpts of --seconds are cut at equal distances, at
most --count of them, as 24 kHz mono WAV (nothing above 8 kHz is looked at in training). The name of an excerpt is made
of the folder names and the file's name; existing excerpts are left alone. Sounds shorter than 8 s are skipped.

    find MUSIC -name '*.ogg' | python lab/teachers/excerpts.py --root MUSIC --out DIR --count 3
"""

import argparse
import pathlib
import re
import sys
import wave

import av
from recordings import read_mono

RATE = 24_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, required=True, help="names are made of the path below this")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=25.0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    length = int(args.seconds * RATE)
    for line in sys.stdin:
        path = pathlib.Path(line.rstrip("\n"))
        name = re.sub(r"[^A-Za-z0-9]+", "_", path.relative_to(args.root).with_suffix("").as_posix())
        if (args.out / f"{name}__0.wav").exists():
            continue
        try:
            mono = read_mono(path, RATE, "s16")
        except (av.FFmpegError, ValueError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            continue
        if len(mono) < 8 * RATE:
            continue
        count = max(1, min(args.count, len(mono) // length))
        spare = max(0, len(mono) - count * length)
        for i in range(count):
            start = i * length + spare * (i + 1) // (count + 1)
            with wave.open(str(args.out / f"{name}__{i}.wav"), "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(RATE)
                out.writeframes(mono[start : start + length].astype("<i2").tobytes())


if __name__ == "__main__":
    main()
