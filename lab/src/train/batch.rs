//! Crops: what a training step looks at, and what it should have said.

use super::augment;
use super::config::Config;
use super::net::Chain;
use super::sounds::{Library, Sound};
use idiom_engine::rt::features::mfcc::Dct;
use idiom_engine::rt::features::{MEL_BANDS, MFCCS};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Crops and their targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Columns, `[item][frame][row]`.
    pub x: Vec<f32>,
    /// Weight of each frame in each graded stretch, `[item][segment][frame]`; each stretch's weights add up to 1.
    pub averages: Vec<f32>,
    /// What each stretch is, `[item][segment][class]`.
    pub targets: Vec<f32>,
    /// How much each item's stretches count, `[item]`.
    pub weights: Vec<f32>,
    /// What the teacher hears besides the classes in each stretch, `[item][segment][hint]`.
    pub hints: Vec<f32>,
    /// How much each item's hints count, `[item]`: 0 where the teacher was not asked, or two sounds play at once.
    pub hint_weights: Vec<f32>,
    /// Random numbers that dropout starts from.
    pub dropout_seed: u64,
}

/// Draws crops from sounds so that classes, and pieces within a class, have their say.
pub struct Sampler<'a> {
    config: &'a Config,
    /// Rows of the columns that are varied.
    rows: usize,
    /// What turns varied log-mel columns into those that the network listens to; `None` where they are the same.
    dct: Option<Dct>,
    classes: usize,
    hints: usize,
    library: &'a Library,
    nothing: &'a [Sound],
    /// For each class that has sounds: running sums of weights, and which sound each belongs to.
    by_class: Vec<(Vec<f32>, Vec<usize>)>,
    /// The same for sounds without a label.
    unlabelled: (Vec<f32>, Vec<usize>),
}

/// Appends a sound to running sums of weights.
fn add((sums, indices): &mut (Vec<f32>, Vec<usize>), weight: f32, index: usize) {
    sums.push(sums.last().copied().unwrap_or(0.0) + weight);
    indices.push(index);
}

/// Draws a sound by its weight.
fn weighted((sums, indices): &(Vec<f32>, Vec<usize>), random: &mut ChaCha8Rng) -> usize {
    let at = random.random::<f32>() * sums.last().copied().unwrap_or(0.0);
    indices[sums.partition_point(|&sum| sum <= at).min(indices.len() - 1)]
}

/// The class that the teacher finds likeliest in the whole sound.
fn likeliest(soft: &[Vec<f32>]) -> usize {
    let classes = soft.first().map_or(0, Vec::len);
    let mass = |class: usize| soft.iter().map(|p| p[class]).sum::<f32>();
    (0..classes).max_by(|&a, &b| mass(a).total_cmp(&mass(b))).unwrap_or(0)
}

impl<'a> Sampler<'a> {
    /// A sampler of the labelled sounds `train` (indices into the library), all unlabelled ones that the teacher
    /// labelled, and sounds of nothing, for a network of this geometry.
    pub fn new(
        config: &'a Config,
        chain: &Chain,
        library: &'a Library,
        train: &[usize],
        nothing: &'a [Sound],
    ) -> Sampler<'a> {
        let (rows, classes, hints) = (chain.rows(), chain.classes(), chain.hints());
        let dct = library.labelled.iter().any(|sound| !sound.mel.is_empty()).then(Dct::new);
        let rows = if dct.is_some() { MEL_BANDS } else { rows };
        let mut by_class = vec![(Vec::new(), Vec::new()); classes];
        for &index in train {
            let sound = &library.labelled[index];
            if let Some((class, _)) = sound.label.filter(|_| sound.varied().len() > rows) {
                add(&mut by_class[class], sound.share.max(1e-6).powf(config.mix.by_piece), index);
            }
        }
        by_class.retain(|class| !class.1.is_empty());
        let usable = |s: &Sound| !s.soft.is_empty() && s.varied().len() > rows;
        let found: Vec<(usize, usize)> = (0..library.unlabelled.len())
            .filter(|&i| usable(&library.unlabelled[i]))
            .map(|i| (i, likeliest(&library.unlabelled[i].soft)))
            .collect();
        // Free music is mostly of one kind. Drawn as it is found, it would teach that everything is.
        let mut alike = vec![0; classes];
        found.iter().for_each(|&(_, class)| alike[class] += 1);
        let mut unlabelled = (Vec::new(), Vec::new());
        for &(index, class) in &found {
            add(&mut unlabelled, (alike[class] as f32).powf(-config.mix.balance), index);
        }
        Sampler { config, rows, dct, classes, hints, library, nothing, by_class, unlabelled }
    }

    /// Whether there is anything labelled to learn from.
    pub fn is_empty(&self) -> bool {
        self.by_class.is_empty()
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> &'a Sound {
        let mix = &self.config.mix;
        let bucket = random.random::<f32>();
        if bucket < mix.nothing && !self.nothing.is_empty() {
            return &self.nothing[random.random_range(0..self.nothing.len())];
        }
        if bucket < mix.nothing + mix.unlabelled && !self.unlabelled.1.is_empty() {
            return &self.library.unlabelled[weighted(&self.unlabelled, random)];
        }
        let class = &self.by_class[random.random_range(0..self.by_class.len())];
        &self.library.labelled[weighted(class, random)]
    }

    /// What `from..to` (frames of the sound) is, and how much that counts.
    fn target(&self, sound: &Sound, from: f32, to: f32) -> (Vec<f32>, f32) {
        let mix = &self.config.mix;
        let uniform = 1.0 / self.classes as f32;
        let soft = sound.soft_between(from, to);
        let (mut target, weight) = match (sound.label, soft) {
            (Some((class, trust)), Some(mut soft)) => {
                let hard = (1.0 - mix.teacher) * trust;
                soft.iter_mut().for_each(|p| *p *= 1.0 - hard);
                soft[class] += hard;
                (soft, 1.0)
            }
            (Some((class, trust)), None) => {
                let mut target = vec![0.0; self.classes];
                target[class] = 1.0;
                (target, trust)
            }
            (None, Some(soft)) => (soft, 1.0),
            (None, None) => (vec![uniform; self.classes], 1.0),
        };
        target.iter_mut().for_each(|p| *p += mix.smoothing * (uniform - *p));
        (target, weight)
    }

    /// The batch of a step. It depends on the configuration's seed and the step's number only.
    pub fn batch(&self, step: usize) -> Batch {
        let t = &self.config.train;
        let mut random =
            ChaCha8Rng::seed_from_u64(t.seed ^ (step as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut batch = Batch {
            x: Vec::with_capacity(t.batch * t.frames * self.rows),
            averages: Vec::with_capacity(t.batch * t.segments * t.frames),
            targets: Vec::with_capacity(t.batch * t.segments * self.classes),
            weights: Vec::with_capacity(t.batch),
            hints: Vec::with_capacity(t.batch * t.segments * self.hints),
            hint_weights: Vec::with_capacity(t.batch),
            dropout_seed: random.random(),
        };
        for _ in 0..t.batch {
            let mut averages = vec![0.0; t.segments * t.frames];
            let x = self.item(&mut averages, &mut batch, &mut random);
            batch.averages.extend(averages);
            match &self.dct {
                None => batch.x.extend_from_slice(&x),
                Some(dct) => batch.x.extend(x.as_chunks().0.iter().flat_map(|column| {
                    let mut coefficients = [0.0; MFCCS];
                    dct.apply(column, &mut coefficients);
                    coefficients
                })),
            }
        }
        batch
    }

    /// One crop's columns; what its stretches should be is added to `batch`.
    fn item(&self, averages: &mut [f32], batch: &mut Batch, random: &mut ChaCha8Rng) -> Vec<f32> {
        let (t, augmented, mix) = (&self.config.train, &self.config.augment, &self.config.mix);
        let tempo = |random: &mut ChaCha8Rng| {
            if random.random::<f32>() < augmented.tempo {
                1.0 + augmented.tempo_range * (2.0 * random.random::<f32>() - 1.0)
            } else {
                1.0
            }
        };
        let start = |columns: &[f32], frames: usize, random: &mut ChaCha8Rng| {
            let spare = (columns.len() / self.rows).saturating_sub(frames + 2);
            (random.random::<f32>() * spare as f32).floor()
        };
        let before = if random.random::<f32>() < mix.transition {
            random.random_range(1..t.frames - t.shortest_segment)
        } else {
            0
        };
        let frames = t.frames - before;
        let mut x = Vec::with_capacity(t.frames * self.rows);
        if before > 0 {
            let columns = self.draw(random).one_of(random);
            let (start, tempo) = (start(columns, before, random), tempo(random));
            x.extend(augment::stretch(columns, self.rows, start, tempo, before));
        }
        let sound = self.draw(random);
        let columns = sound.one_of(random);
        let speed = tempo(random);
        let from = start(columns, (frames as f32 * speed) as usize, random);
        let mut crop = augment::stretch(columns, self.rows, from, speed, frames);
        let second = (random.random::<f32>() < augmented.mixup).then(|| {
            let sound = self.draw(random);
            let columns = sound.one_of(random);
            let (from, gain) = (start(columns, frames, random), random.random_range(-1.2f32..0.0));
            let other = augment::stretch(columns, self.rows, from, 1.0, frames);
            augment::mix(&mut crop, &other, gain);
            let power = 100f32.powf(gain);
            (sound, from, power / (1.0 + power))
        });
        x.extend(crop);
        let style = self.draw(random).one_of(random);
        let style_from = start(style, t.frames, random);
        let style = augment::stretch(style, self.rows, style_from, 1.0, t.frames.min(100));
        augment::vary(&mut x, self.rows, &style, augmented, random);
        if random.random::<f32>() < augmented.cold_start && before == 0 {
            augment::cold_start(&mut x, self.rows);
        }

        let (mut weight, mut hint_weight) = (1.0f32, if second.is_some() { 0.0 } else { 1.0 });
        for (segment, average) in averages.chunks_exact_mut(t.frames).enumerate() {
            let (offset, length) = if segment == 0 || frames <= t.shortest_segment {
                (0, frames)
            } else {
                let shortest = t.shortest_segment as f32;
                let length = shortest * (frames as f32 / shortest).powf(random.random::<f32>());
                let length = (length as usize).clamp(1, frames);
                (random.random_range(0..=frames - length), length)
            };
            average[before + offset..before + offset + length].fill(1.0 / length as f32);
            let at = from + offset as f32 * speed;
            let (mut target, trust) = self.target(sound, at, at + length as f32 * speed);
            weight = weight.min(trust);
            if let Some((sound, from, share)) = second {
                let at = from + offset as f32;
                let (other, trust) = self.target(sound, at, at + length as f32);
                weight = weight.min(trust);
                target.iter_mut().zip(other).for_each(|(t, o)| *t += share * (o - *t));
            }
            batch.targets.extend(target);
            match sound.hints_between(at, at + length as f32 * speed) {
                Some(hints) if hints.len() == self.hints => batch.hints.extend(hints),
                _ => {
                    batch.hints.resize(batch.hints.len() + self.hints, 0.0);
                    hint_weight = 0.0;
                }
            }
        }
        batch.weights.push(weight);
        batch.hint_weights.push(hint_weight);
        x
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::FLAGSHIP;
    use super::*;
    use idiom_engine::model::InputKind;

    #[test]
    fn unlabelled_sounds_of_a_rare_class_are_drawn_more_often_than_they_are_found() {
        let mut config = Config::parse(FLAGSHIP).unwrap();
        (config.mix.unlabelled, config.mix.nothing, config.mix.balance) = (1.0, 0.0, 0.5);
        let sound = |class: usize| {
            let mut p = vec![0.1; 5];
            p[class] = 0.6;
            Sound { columns: vec![0.0; 40 * 10], soft: vec![p], share: 1.0, ..Sound::default() }
        };
        let rare = 4;
        let unlabelled: Vec<Sound> = (0..104).map(|i| sound(if i < rare { 2 } else { 3 })).collect();
        let labelled = vec![Sound { label: Some((0, 1.0)), ..sound(0) }];
        let library = Library { labelled, unlabelled };
        let chain =
            Chain::new(&config.model, InputKind::LogMel40, &crate::dataset::genre_names(), 0).unwrap();
        let sampler = Sampler::new(&config, &chain, &library, &[0], &[]);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let draws = 20_000;
        let drawn = (0..draws).filter(|_| likeliest(&sampler.draw(&mut random).soft) == 2).count();
        // The square roots of 4 and 100: two in twelve, where four in 104 were found.
        let share = drawn as f32 / draws as f32;
        assert!((share - 2.0 / 12.0).abs() < 0.01, "{share}");
    }
}
