#!/usr/bin/env python3
"""What others reach on the clips and in the rounds that `idiom train --folds` judges our networks by.

* random forest: scikit-learn's, 300 trees, on statistics of 13 MFCCs over 3 s (mean, deviation, smallest, largest, mean
  step), which is how genre recognition is taught;
* YAMNet zero-shot: AudioSet scores of related classes, added up, nothing learned;
* YAMNet with a head: logistic regression on its embedding and scores, learned in each round.

Forest and head learn from the labelled clips of the other rounds (no artist on both sides) and from --extra manifests, classes
balanced, as our own models do. A clip's answer is the mean over its stretches. Prints a table for models/README.md.

    python lab/teachers/references.py --yamnet YAMNET_CACHE --classes yamnet/classes.csv --root AUDIO \
        --manifest AUDIO/train/MANIFEST.csv --extra AUDIO/generated/MANIFEST.csv --folds CV/folds.csv
"""

import argparse
import csv
import hashlib
import pathlib

import numpy as np
import soft_labels as own
from recordings import read_mono
from sklearn.ensemble import RandomForestClassifier

RATE = 22_050
HOP = 441
WINDOW = 1_024
BANDS = 40
# Windows in a stretch of 3 s.
STRETCH = 150


def filterbank() -> np.ndarray:
    """Triangles on the mel scale from 20 Hz to half the rate, [band][bin]."""
    mel = lambda hz: 2595 * np.log10(1 + hz / 700)
    edges = 700 * (10 ** (np.linspace(mel(20), mel(RATE / 2), BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rise, fall), 0, None)


def statistics(path: pathlib.Path) -> np.ndarray:
    """MFCC statistics of each whole stretch of 3 s, [stretch][number]."""
    sound = read_mono(path, RATE)
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP] * np.hanning(WINDOW)
    bands = np.log(np.abs(np.fft.rfft(frames)) ** 2 @ filterbank().T + 1e-8)
    k = np.arange(13)[:, None] * (np.arange(BANDS) + 0.5) * np.pi / BANDS
    mfcc = bands @ (np.cos(k) * np.sqrt(2 / BANDS)).T
    rows = []
    for start in range(0, max(1, len(mfcc) - STRETCH + 1), STRETCH):
        part = mfcc[start : start + STRETCH]
        step = np.abs(np.diff(part, axis=0)).mean(axis=0)
        rows.append(np.concatenate([part.mean(axis=0), part.std(axis=0), part.min(axis=0), part.max(axis=0), step]))
    return np.array(rows)


def forest(learned: list[str], labels: dict[str, dict], heard: dict[str, np.ndarray]):
    """A function from a file to log-probabilities of its stretches."""
    x = np.concatenate([heard[p] for p in learned])
    y = np.concatenate([[own.CLASSES.index(labels[p]["genre"])] * len(heard[p]) for p in learned])
    trees = RandomForestClassifier(300, class_weight="balanced", min_samples_leaf=2, random_state=1, n_jobs=1).fit(x, y)
    return lambda path: np.log(trees.predict_proba(heard[path]) + 1e-3)


def score(tested: list[tuple[int, np.ndarray]], per: int) -> tuple[float, float, np.ndarray, float]:
    """Balanced accuracy per clip and per 3 s (`per` rows each), recalls per clip, speech against the rest per 3 s."""
    whole, parts = np.zeros((5, 5)), np.zeros((5, 5))
    for label, logs in tested:
        whole[label, np.exp(logs).mean(axis=0).argmax()] += 1
        for start in range(0, max(1, len(logs) - per + 1), per):
            parts[label, logs[start : start + per].mean(axis=0).argmax()] += 1
    recall = [np.diag(m) / np.maximum(m.sum(axis=1), 1) for m in (whole, parts)]
    speech = 0.5 * (recall[1][0] + 1 - parts[1:, 0].sum() / parts[1:].sum())
    return recall[0].mean(), recall[1].mean(), recall[0], speech


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, action="append", required=True)
    parser.add_argument("--yamnet", type=pathlib.Path, required=True, help="the output of yamnet_embed.py")
    parser.add_argument("--classes", type=pathlib.Path, required=True, help="YAMNet's class names")
    parser.add_argument("--manifest", type=pathlib.Path, required=True, help="the clips that are tested")
    parser.add_argument("--extra", type=pathlib.Path, action="append", default=[], help="clips to learn from only")
    parser.add_argument("--folds", type=pathlib.Path, required=True)
    args = parser.parse_args()

    names = [row["display_name"] for row in csv.DictReader(open(args.classes, newline=""))]
    labels = own.read_labels([args.manifest, *args.extra])
    folds = {row["file"]: int(row["fold"]) for row in csv.DictReader(open(args.folds, newline=""))}
    clips, mfcc = {}, {}
    for path in labels:
        relative = next(pathlib.Path(path).relative_to(r.resolve()) for r in args.root if path.startswith(str(r.resolve())))
        npz = np.load(args.yamnet / (hashlib.sha1(relative.as_posix().encode()).hexdigest() + ".npz"))
        clip = own.Clip.__new__(own.Clip)
        clip.path, clip.score = path, npz["score"].astype(np.float32)
        logits = own.logit(clip.score)
        clip.features = {"yamnet": np.concatenate([npz["embedding"].astype(np.float32), logits], axis=1)}
        clips[path], mfcc[path] = clip, statistics(pathlib.Path(path))

    judged = {"random forest on MFCC statistics": [], "YAMNet zero-shot": [], "YAMNet with a head": []}
    for fold in sorted(set(folds.values())):
        away = {labels[p]["artist"] for p, f in folds.items() if f == fold and labels[p]["artist"]}
        learned = [p for p in labels if folds.get(p) != fold and labels[p]["artist"] not in away]
        trees = forest(learned, labels, mfcc)
        sure = [p for p in learned if own.CONFIDENCE[labels[p].get("label_confidence") or ""] > 0]
        head = own.train_head([clips[p] for p in sure], labels, "yamnet", 1e-3)
        for path in (p for p, f in folds.items() if f == fold):
            label = own.CLASSES.index(labels[path]["genre"])
            low = labels[path].get("label_confidence") == "low"
            for name, logs in [
                ("random forest on MFCC statistics", trees(path)),
                ("YAMNet zero-shot", own.audioset_alone(clips[path].score, names)),
                ("YAMNet with a head", head(clips[path])),
            ]:
                judged[name].append((label, logs, low))
    for kind in ("all clips", "without `low` labels"):
        print(f"\n{kind}\n\n| what | per clip | per 3 s | {' | '.join(own.CLASSES)} | speech against the rest, 3 s |")
        print("|" + "---|" * 9)
        for name, rows in judged.items():
            # YAMNet says something every 0.48 s.
            kept = [(label, logs) for label, logs, low in rows if kind == "all clips" or not low]
            clip, part, recall, speech = score(kept, 6 if "YAMNet" in name else 1)
            each = " | ".join(f"{100 * r:.1f} %" for r in recall)
            print(f"| {name} | {100 * clip:.1f} % | {100 * part:.1f} % | {each} | {100 * speech:.1f} % |")


if __name__ == "__main__":
    main()
