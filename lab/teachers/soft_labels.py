#!/usr/bin/env python3
"""Turn what YAMNet, musicnn and EfficientAT hear (yamnet_embed.py, musicnn_embed.py, efficientat_embed.py) into soft labels
over our classes.

Six opinions on each second are mixed geometrically, with the weights of OPINIONS:

* for each network a logistic regression on the logits of its scores and the layers below them, trained on labelled
  manifests: classes balanced, artists weighted (not files), labels weighted by their confidence;
* the scores of each network's own related classes, each class made so much louder or softer that all are equally likely on
  labelled clips: YAMNet calls most things electronic, musicnn few things classical.

A second's music is then moved halfway to the music of the whole file: a piece does not change its genre within half a minute.
Where YAMNet hears neither music nor speech, the result is pulled to "all classes equally".

With --folds (a table `file,fold` as written by `idiom train --folds K --folds-only`) one more pair of heads is trained for
each round, without the clips that are tested in it and without any other clip of their artists, and its rows carry that
round's number: soft labels made with the labels of a test clip would leak them. Rows with an empty fold come from the
heads that have seen everything.

With --composed (manifests of `idiom synth`) the heads learn nothing from those clips, and their rows are halfway between
what the teachers think and what was meant.

With --hints N rows with an empty fold also say, in columns h_0 to h_N-1, how the second differs from the mean of all sounds
along the N directions in which all layers of the networks together differ most (principal components, variance 1).

Output: a CSV with the columns file (absolute path), start_s, end_s, fold, p_CLASS for each class, hints; one row a second.
Also prints the accuracy of each opinion and of the mixture on the clips that each round leaves out.

    python lab/teachers/soft_labels.py --root AUDIO --yamnet YAMNET_CACHE --musicnn MUSICNN_CACHE \
        --efficientat EFFICIENTAT_CACHE --classes yamnet/classes.csv --efficientat-classes class_labels_indices.csv \
        --manifest AUDIO/train/MANIFEST.csv --folds CV/folds.csv --out soft.csv
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
# How much a label counts for the heads; nothing is learned from labels that are only plausible.
CONFIDENCE = {"high": 1.0, "medium": 0.7, "low": 0.0, "": 1.0}
NETWORKS = ("yamnet", "musicnn", "efficientat")
# Weight of each opinion in the mixture.
OPINIONS = {f"{network} {how}": 1 / 6 for network in NETWORKS for how in ("head", "alone")}
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
# musicnn's tags, in the order of its outputs: Million Song Dataset, MagnaTagATune.
MSD = ("rock,pop,alternative,indie,electronic,female vocalists,dance,00s,alternative rock,jazz,beautiful,metal,chillout,"
       "male vocalists,classic rock,soul,indie rock,Mellow,electronica,80s,folk,90s,chill,instrumental,punk,oldies,"
       "blues,hard rock,ambient,acoustic,experimental,female vocalist,guitar,Hip-Hop,70s,party,country,easy listening,"
       "sexy,catchy,funk,electro,heavy metal,Progressive rock,60s,rnb,indie pop,sad,House,happy").split(",")
MTT = ("guitar,classical,slow,techno,strings,drums,electronic,rock,fast,piano,ambient,beat,violin,vocal,synth,female,"
       "indian,opera,male,singing,vocals,no vocals,harpsichord,loud,quiet,flute,woman,male vocal,no vocal,pop,soft,"
       "sitar,solo,man,classic,choir,voice,new age,dance,male voice,female vocal,beats,harp,cello,no voice,weird,"
       "country,metal,female voice,choral").split(",")
# Which tags speak for each class, and how much.
TAGS = {
    "rock": [(1.0, MSD, ["rock", "alternative", "alternative rock", "metal", "classic rock", "indie rock", "punk",
                         "hard rock", "heavy metal", "Progressive rock", "indie"]), (0.5, MTT, ["rock", "metal"])],
    "jazz": [(1.0, MSD, ["jazz"]), (0.3, MSD, ["blues"])],
    "electronic": [(0.7, MSD, ["electronic", "dance", "electronica", "chillout", "ambient", "electro", "House"]),
                   (0.5, MTT, ["techno", "electronic", "synth", "dance"])],
    "classical": [(1.2, MTT, ["classical", "violin", "opera", "cello", "harpsichord", "classic", "choir", "strings",
                              "flute"])],
}


def logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-6, 1 - 1e-4)
    return np.log(p / (1 - p))


class Clip:
    """What the networks heard in one file, one row for each 0.96 s."""

    def __init__(self, path: pathlib.Path, yamnet, musicnn, efficientat):
        self.path = str(path)
        rows = max(1, len(yamnet["score"]) // 2)
        self.hop = 2 * float(yamnet["hop_s"])

        def pairs(name):
            x = yamnet[name].astype(np.float32)
            return np.stack([x[2 * i : 2 * i + 2].mean(axis=0) for i in range(rows)])

        # musicnn's windows are three rows long: each row is described by the window that it lies in the middle of.
        window = np.clip(np.arange(rows) - 1, 0, len(musicnn["msd"]) - 1)
        parts = [musicnn[name].astype(np.float32)[window] for name in ("msd", "mtt", "msd_p", "mtt_p")]
        row = np.clip(np.arange(rows), 0, len(efficientat["logit"]) - 1)
        wide = {name: efficientat[name].astype(np.float32)[row] for name in ("logit", "hidden", "pooled")}
        self.score = pairs("score")
        self.tags = {"msd": parts[0], "mtt": parts[1]}
        self.wide_score = 1 / (1 + np.exp(-wide["logit"]))
        self.features = {
            "yamnet": np.concatenate([pairs("embedding"), logit(self.score)], axis=1),
            "musicnn": np.concatenate(parts, axis=1),
            "efficientat": np.concatenate([logit(self.wide_score), wide["hidden"], wide["pooled"]], axis=1),
        }


def read_labels(manifests: list[pathlib.Path]) -> dict[str, dict]:
    """Manifest rows by absolute path."""
    labels = {}
    for manifest in manifests:
        with open(manifest, newline="") as lines:
            for row in csv.DictReader(lines):
                if row.get("genre"):
                    row["who"] = (row["genre"], row["artist"] or row["file"])
                    labels[str((manifest.parent / row["file"]).resolve())] = row
    return labels


def clip_weights(clips: list[Clip], labels: dict[str, dict]) -> np.ndarray:
    """How much each clip counts: classes alike, artists between files and artists alike, labels by confidence."""
    artists = collections.Counter(labels[c.path]["who"] for c in clips)
    rows = [labels[c.path] for c in clips]
    w = np.array([CONFIDENCE[row.get("label_confidence") or ""] / np.sqrt(artists[row["who"]]) for row in rows])
    y = np.array([CLASSES.index(row["genre"]) for row in rows])
    for k in range(len(CLASSES)):
        w[y == k] /= w[y == k].sum()
    return w / len(CLASSES)


def train_head(clips: list[Clip], labels: dict[str, dict], of: str, strength: float):
    """A function from a clip to log-probabilities."""
    x, y, w = [], [], []
    for clip, weight in zip(clips, clip_weights(clips, labels)):
        x.append(clip.features[of][::2])
        y += [CLASSES.index(labels[clip.path]["genre"])] * len(x[-1])
        w += [weight / len(x[-1])] * len(x[-1])
    x, y, w = np.concatenate(x), np.array(y), np.array(w)
    w *= len(w)
    scaler = StandardScaler().fit(x, sample_weight=w)
    with warnings.catch_warnings():
        # 60 steps from zero are a regulariser of their own; more of them only sharpen.
        warnings.simplefilter("ignore", ConvergenceWarning)
        head = LogisticRegression(C=strength, max_iter=60).fit(scaler.transform(x), y, sample_weight=w)
    return lambda clip: head.predict_log_proba(scaler.transform(clip.features[of]))


def evened(opinions: dict[str, np.ndarray], clips: list[Clip], labels: dict[str, dict]) -> np.ndarray:
    """What to add to an opinion's log-probabilities so that its classes are equally likely over labelled clips."""
    w = clip_weights(clips, labels)
    logs = np.stack([opinions[clip.path].mean(axis=0) for clip in clips])
    offset = np.zeros(len(CLASSES))
    for _ in range(50):
        offset -= 0.5 * np.log(len(CLASSES) * (w[:, None] * np.exp(normalised(logs + offset))).sum(axis=0))
    return offset


def hints(clips: list[Clip], count: int) -> list[np.ndarray]:
    """Principal components of everything the networks hear, [row][component] for each clip."""
    parts = []
    for of in NETWORKS:
        x = np.concatenate([clip.features[of] for clip in clips])
        parts.append((x - x.mean(axis=0)) / (x.std(axis=0) + 1e-3) / np.sqrt(x.shape[1]))
    x = np.concatenate(parts, axis=1)
    variance, directions = np.linalg.eigh(x.T @ x / len(x))
    x = np.clip(x @ directions[:, : -count - 1 : -1] / np.sqrt(variance[: -count - 1 : -1]), -4, 4)
    return np.split(x, np.cumsum([len(clip.score) for clip in clips])[:-1])


def normalised(logs: np.ndarray) -> np.ndarray:
    """Log-probabilities that add up to 1."""
    logs = logs - logs.max(axis=1, keepdims=True)
    return logs - np.log(np.exp(logs).sum(axis=1, keepdims=True))


def audioset_alone(score: np.ndarray, names: list[str]) -> np.ndarray:
    """Log-probabilities from the scores of AudioSet's classes."""
    sums = np.stack([score[:, [names.index(n) for n in RELATED[c]]].sum(axis=1) for c in CLASSES], axis=1)
    return normalised(np.log(sums + 0.01))


def musicnn_alone(clip: Clip, names: list[str]) -> np.ndarray:
    """Log-probabilities from musicnn's own tags; it knows no speech, so that is YAMNet's."""
    sure = {"msd": 1 / (1 + np.exp(-clip.tags["msd"])), "mtt": 1 / (1 + np.exp(-clip.tags["mtt"]))}

    def evidence(name):
        if name == "speech":
            return 2 * clip.score[:, names.index("Speech")]
        return sum(
            weight * sure["msd" if tags is MSD else "mtt"][:, [tags.index(t) for t in wanted]].max(axis=1)
            for weight, tags, wanted in TAGS[name]
        )

    return normalised(np.log(np.stack([evidence(c) for c in CLASSES], axis=1) + 0.02))


def mixed(opinions: dict[str, np.ndarray]) -> np.ndarray:
    """Log-probabilities of the geometric mixture."""
    return normalised(sum(weight * opinions[name] for name, weight in OPINIONS.items()))


def steadied(logs: np.ndarray) -> np.ndarray:
    """Log-probabilities with each second's music halfway to the music of the whole file; where speech is stays as it is."""
    speech, music = logs[:, :1], normalised(logs[:, 1:])
    music = normalised((music + music.mean(axis=0)) / 2)
    return np.concatenate([speech, music + np.log1p(-np.exp(np.minimum(speech, -1e-6)))], axis=1)


def balanced_accuracy(clips: list[Clip], labels: dict[str, dict], opinions: list[np.ndarray]) -> str:
    """Per clip and per 3 s, with the recall of each class per clip; then without the labels called low."""
    lines = []
    for kind, wanted in [("all labels", None), ("without low ones", ("high", "medium", ""))]:
        whole, parts = np.zeros((5, 5)), np.zeros((5, 5))
        for clip, logs in zip(clips, opinions):
            row = labels[clip.path]
            if wanted and row.get("label_confidence", "") not in wanted:
                continue
            label = CLASSES.index(row["genre"])
            whole[label, logs.mean(axis=0).argmax()] += 1
            for start in range(0, max(1, len(logs) - 2), 3):
                parts[label, logs[start : start + 3].mean(axis=0).argmax()] += 1
        recalls = [np.diag(m) / np.maximum(m.sum(axis=1), 1) for m in (whole, parts)]
        each = ", ".join(f"{c} {r:.2f}" for c, r in zip(CLASSES, recalls[0]))
        lines.append(f"{kind}: per clip {recalls[0].mean():.3f} ({each}), per 3 s {recalls[1].mean():.3f}")
    return "; ".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, action="append", required=True,
                        help="where the paths in the caches are relative to; several are tried in order")
    parser.add_argument("--yamnet", type=pathlib.Path, required=True, help="the output of yamnet_embed.py")
    parser.add_argument("--musicnn", type=pathlib.Path, required=True, help="the output of musicnn_embed.py")
    parser.add_argument("--efficientat", type=pathlib.Path, required=True, help="the output of efficientat_embed.py")
    parser.add_argument("--classes", type=pathlib.Path, required=True, help="YAMNet's class names")
    parser.add_argument("--efficientat-classes", type=pathlib.Path, required=True, help="EfficientAT's class names")
    parser.add_argument("--manifest", type=pathlib.Path, action="append", required=True)
    parser.add_argument("--composed", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--hints", type=int, default=0)
    parser.add_argument("--folds", type=pathlib.Path)
    parser.add_argument("--strength", type=float, default=1e-3, help="inverse regularisation of the heads")
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()

    names, wide_names = (
        [row["display_name"] for row in csv.DictReader(open(file, newline=""))]
        for file in (args.classes, args.efficientat_classes)
    )
    labels = read_labels(args.manifest)
    composed = read_labels(args.composed)
    clips = []
    for file in sorted(args.yamnet.glob("*.npz")):
        yamnet, others = np.load(file), [folder / file.name for folder in (args.musicnn, args.efficientat)]
        relative = str(yamnet["path"])
        root = next((r for r in args.root if (r / relative).exists()), None)
        if root is not None and all(other.exists() for other in others):
            clips.append(Clip((root / relative).resolve(), yamnet, *map(np.load, others)))
    clips.sort(key=lambda c: c.path)
    known = [c for c in clips if c.path in labels]
    print(f"{len(clips)} clips, {len(known)} of them labelled")
    alone = {"yamnet alone": {c.path: audioset_alone(c.score, names) for c in clips},
             "musicnn alone": {c.path: musicnn_alone(c, names) for c in clips},
             "efficientat alone": {c.path: audioset_alone(c.wide_score, wide_names) for c in clips}}
    heard = [names.index(n) for n in HEARD]
    folds = {}
    if args.folds:
        folds = {row["file"]: int(row["fold"]) for row in csv.DictReader(open(args.folds, newline=""))}

    hinted = dict(zip((c.path for c in clips), hints(clips, args.hints))) if args.hints else {}
    rows, tested = [], []
    judged = collections.defaultdict(list)
    for fold in [None, *sorted(set(folds.values()))]:
        away = {labels[p]["artist"] for p, f in folds.items() if f == fold and p in labels and labels[p]["artist"]}
        learned = [c for c in known if folds.get(c.path) != fold or fold is None]
        learned = [c for c in learned if labels[c.path]["artist"] not in away]
        learned = [c for c in learned if CONFIDENCE[labels[c.path].get("label_confidence") or ""] > 0]
        heads = {of: train_head(learned, labels, of, args.strength) for of in NETWORKS}
        even = {name: evened(opinions, learned, labels) for name, opinions in alone.items()}
        for clip in clips:
            opinions = {f"{of} head": head(clip) for of, head in heads.items()}
            opinions |= {name: normalised(alone[name][clip.path] + offset) for name, offset in even.items()}
            logs = steadied(mixed(opinions))
            if fold is not None and folds.get(clip.path) == fold:
                tested.append(clip)
                for name, opinion in [*opinions.items(), ("mixed", logs)]:
                    judged[name].append(opinion)
                continue
            p = np.exp(logs)
            if clip.path not in labels:
                presence = np.clip(clip.score[:, heard].max(axis=1, keepdims=True) / 0.3, 0, 1)
                p = presence * p + (1 - presence) / len(CLASSES)
            if clip.path in composed:
                p = (p + np.eye(len(CLASSES))[CLASSES.index(composed[clip.path]["genre"])]) / 2
            for i, row in enumerate(p):
                values = ",".join(f"{v:.4f}" for v in row)
                if hinted:
                    values += "".join(f",{v:.2f}" for v in hinted[clip.path][i]) if fold is None else "," * args.hints
                start, end = i * clip.hop, (i + 1) * clip.hop
                rows.append(f'"{clip.path}",{start:.2f},{end:.2f},{"" if fold is None else fold},{values}')
    for name, opinions in judged.items():
        print(f"left-out clips, {name}: {balanced_accuracy(tested, labels, opinions)}")
    if args.out:
        header = "file,start_s,end_s,fold," + ",".join([*(f"p_{c}" for c in CLASSES), *(f"h_{i}" for i in range(args.hints))])
        args.out.write_text("\n".join([header, *rows]) + "\n")


if __name__ == "__main__":
    main()
