#!/usr/bin/env python3
"""Turn what YAMNet hears (yamnet_embed.py) into soft labels over our classes.

Two opinions are mixed, geometrically, --zero-shot of the second:

* a logistic regression on YAMNet's embedding and the logits of its scores, trained on labelled manifests, classes
  balanced, pieces weighted (not files), labels weighted by their confidence, `low` ones left out;
* YAMNet's own scores of the related AudioSet classes, without any label of ours.

Where YAMNet hears neither music nor speech, the result is pulled to "all classes equally".

With --folds (a table `file,fold` as written by `idiom train --folds K --folds-only`) one more head is trained for each
round, without the clips that are tested in it, and its rows carry that round's number: soft labels made with the labels
of a test clip would leak them. Rows with an empty fold come from the head that has seen everything.

Output: a CSV with the columns file (absolute path), start_s, end_s, fold, p_CLASS for each class; one row a second.
Also prints the accuracy of the teacher itself on the clips that each round leaves out.

    python lab/teachers/yamnet_soft_labels.py --root AUDIO --cache DIR --classes yamnet/classes.csv \
        --manifest AUDIO/train/MANIFEST.csv --manifest AUDIO/generated/MANIFEST.csv --folds folds.csv --out soft.csv
"""

import argparse
import collections
import csv
import pathlib
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

CLASSES = ["speech", "rock", "jazz", "electronic", "classical"]
CONFIDENCE = {"high": 1.0, "medium": 0.7, "low": 0.0, "": 1.0}
# AudioSet classes that speak for each of ours.
RELATED = {
    "speech": ["Speech", "Narration, monologue", "Conversation",
               "Child speech, kid speaking", "Speech synthesizer"],
    "rock": ["Rock music", "Heavy metal", "Punk rock", "Grunge", "Progressive rock", "Rock and roll",
             "Psychedelic rock", "Electric guitar", "Distortion"],
    "jazz": ["Jazz", "Swing music", "Saxophone", "Trumpet", "Trombone", "Double bass", "Blues", "Bass guitar"],
    "electronic": ["Electronic music", "House music", "Techno", "Dubstep", "Drum and bass", "Electronica",
                   "Electronic dance music", "Ambient music", "Trance music", "Synthesizer", "Drum machine",
                   "Video game music"],
    "classical": ["Classical music", "Opera", "Orchestra", "String section", "Violin, fiddle", "Cello", "Harp",
                  "Pizzicato", "Harpsichord", "Flute", "Brass instrument"],
}
HEARD = ["Speech", "Music", "Singing", "Musical instrument"]


class Clip:
    """What YAMNet heard in one file."""

    def __init__(self, root: pathlib.Path, file: pathlib.Path):
        npz = np.load(file)
        self.path = str((root / str(npz["path"])).resolve())
        self.score = npz["score"].astype(np.float32)
        score = np.clip(self.score, 1e-6, 1 - 1e-4)
        self.features = np.concatenate([npz["embedding"].astype(np.float32), np.log(score / (1 - score))], axis=1)
        self.hop = float(npz["hop_s"])


def read_labels(manifests: list[pathlib.Path]) -> dict[str, dict]:
    """Manifest rows by absolute path."""
    labels = {}
    for manifest in manifests:
        with open(manifest, newline="") as lines:
            for row in csv.DictReader(lines):
                if row.get("genre"):
                    row["piece"] = (row["genre"], row["artist"], row["title"], row["file"] if not row["title"] else "")
                    labels[str((manifest.parent / row["file"]).resolve())] = row
    return labels


def train_head(clips: list[Clip], labels: dict[str, dict], strength: float):
    """A function from features to log-probabilities."""
    pieces = collections.Counter(labels[c.path]["piece"] for c in clips)
    x, y, w = [], [], []
    for clip in clips:
        row = labels[clip.path]
        confidence = CONFIDENCE[row.get("label_confidence", "")]
        if confidence == 0.0:
            continue
        x.append(clip.features[::2])
        y += [CLASSES.index(row["genre"])] * len(x[-1])
        w += [confidence / np.sqrt(pieces[row["piece"]]) / len(x[-1])] * len(x[-1])
    x, y, w = np.concatenate(x), np.array(y), np.array(w)
    for k in range(len(CLASSES)):
        w[y == k] /= w[y == k].sum()
    w *= len(w) / w.sum()
    scaler = StandardScaler().fit(x, sample_weight=w)
    with warnings.catch_warnings():
        # 60 steps from zero are a regulariser of their own; more of them only sharpen.
        warnings.simplefilter("ignore", ConvergenceWarning)
        head = LogisticRegression(C=strength, max_iter=60).fit(scaler.transform(x), y, sample_weight=w)
    return lambda clip: head.predict_log_proba(scaler.transform(clip.features))


def zero_shot(clip: Clip, names: list[str]) -> np.ndarray:
    """Log-probabilities from YAMNet's own scores."""
    sums = np.stack([clip.score[:, [names.index(n) for n in RELATED[c]]].sum(axis=1) for c in CLASSES], axis=1)
    sums = np.log(sums + 0.01)
    return sums - np.log(np.exp(sums).sum(axis=1, keepdims=True))


def mixed(head: np.ndarray, own: np.ndarray, part: float) -> np.ndarray:
    """Probabilities of a geometric mixture."""
    logs = (1 - part) * head + part * own
    p = np.exp(logs - logs.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def balanced_accuracy(clips: list[Clip], labels: dict[str, dict], opinions: list[np.ndarray]) -> str:
    """Per clip and per 3 s (6 windows), with the recall of each class per clip."""
    whole, parts = np.zeros((5, 5)), np.zeros((5, 5))
    for clip, p in zip(clips, opinions):
        label = CLASSES.index(labels[clip.path]["genre"])
        logs = np.log(p + 1e-4)
        whole[label, logs.mean(axis=0).argmax()] += 1
        for start in range(0, max(1, len(p) - 5), 6):
            parts[label, logs[start : start + 6].mean(axis=0).argmax()] += 1
    def recalls(m):
        return np.diag(m) / np.maximum(m.sum(axis=1), 1)

    each = ", ".join(f"{c} {r:.2f}" for c, r in zip(CLASSES, recalls(whole)))
    return f"per clip {recalls(whole).mean():.3f} ({each}), per 3 s {recalls(parts).mean():.3f}\n{whole.astype(int)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, action="append", required=True,
                        help="where the paths in the cache are relative to; several are tried in order")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="the output of yamnet_embed.py")
    parser.add_argument("--classes", type=pathlib.Path, required=True, help="YAMNet's class names")
    parser.add_argument("--manifest", type=pathlib.Path, action="append", required=True)
    parser.add_argument("--folds", type=pathlib.Path)
    parser.add_argument("--zero-shot", type=float, default=0.3)
    parser.add_argument("--strength", type=float, default=1e-3, help="inverse regularisation of the head")
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()

    names = [row["display_name"] for row in csv.DictReader(open(args.classes, newline=""))]
    labels = read_labels(args.manifest)
    clips = []
    for file in sorted(args.cache.glob("*.npz")):
        relative = str(np.load(file)["path"])
        root = next((r for r in args.root if (r / relative).exists()), None)
        if root is not None:
            clips.append(Clip(root, file))
    clips.sort(key=lambda c: c.path)
    known = [c for c in clips if c.path in labels]
    own = {c.path: zero_shot(c, names) for c in clips}
    heard = [names.index(n) for n in HEARD]
    folds = {}
    if args.folds:
        folds = {row["file"]: int(row["fold"]) for row in csv.DictReader(open(args.folds, newline=""))}

    rows, tested, opinions, alone, zero = [], [], [], [], []
    for fold in [None, *sorted(set(folds.values()))]:
        head = train_head([c for c in known if fold is None or folds.get(c.path) != fold], labels, args.strength)
        for clip in clips:
            opinion = head(clip)
            p = mixed(opinion, own[clip.path], args.zero_shot)
            if fold is not None and folds.get(clip.path) == fold:
                tested.append(clip)
                opinions.append(p)
                alone.append(np.exp(opinion))
                zero.append(np.exp(own[clip.path]))
                continue
            if clip.path not in labels:
                presence = np.clip(clip.score[:, heard].max(axis=1, keepdims=True) / 0.3, 0, 1)
                p = presence * p + (1 - presence) / len(CLASSES)
            for i in range(0, len(p), 2):
                values = ",".join(f"{v:.4f}" for v in p[i : i + 2].mean(axis=0))
                start = i * clip.hop
                rows.append(f'"{clip.path}",{start:.2f},{start + 0.96:.2f},{"" if fold is None else fold},{values}')
    if tested:
        print("left-out clips, head alone:", balanced_accuracy(tested, labels, alone))
        print("left-out clips, zero-shot alone:", balanced_accuracy(tested, labels, zero))
        print("left-out clips, mixed:", balanced_accuracy(tested, labels, opinions))
    if args.out:
        header = "file,start_s,end_s,fold," + ",".join(f"p_{c}" for c in CLASSES)
        args.out.write_text("\n".join([header, *rows]) + "\n")


if __name__ == "__main__":
    main()
