//! Cross-validation folds that keep groups whole and classes balanced.

use anyhow::{Result, ensure};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// One round of cross-validation: indices of clips, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Clips to learn from.
    pub train: Vec<usize>,
    /// Clips to measure on. No group of theirs is in `train`.
    pub test: Vec<usize>,
}

/// Splits clips, given as (index, class, group), into `k` folds.
///
/// The largest groups (by their share of a class) are placed first, each into the fold where the sum of squared class
/// shares grows least. Ties fall in an order that `seed` shuffles.
pub fn split(clips: &[(usize, usize, usize)], classes: usize, k: usize, seed: u64) -> Result<Vec<Fold>> {
    let group_count = clips.iter().map(|clip| clip.2 + 1).max().unwrap_or(0);
    let mut totals = vec![0.0_f64; classes];
    let mut counts = vec![vec![0.0_f64; classes]; group_count];
    for &(_, class, group) in clips {
        totals[class] += 1.0;
        counts[group][class] += 1.0;
    }
    for share in &mut counts {
        share.iter_mut().zip(&totals).for_each(|(n, total)| *n /= total.max(1.0));
    }
    let mut order: Vec<usize> = (0..group_count).filter(|&g| counts[g].iter().any(|&n| n > 0.0)).collect();
    ensure!(k >= 2, "{k} folds asked for; at least 2 are needed");
    ensure!(
        order.len() >= k,
        "{k} folds asked for, but there are only {} groups of clips that share no artist",
        order.len()
    );
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let size = |group: usize| counts[group].iter().copied().fold(0.0, f64::max);
    order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));

    let mut filled = vec![vec![0.0_f64; classes]; k];
    let mut fold_of = vec![0; group_count];
    for group in order {
        let growth = |fold: &Vec<f64>| -> f64 {
            fold.iter().zip(&counts[group]).map(|(have, new)| new * (2.0 * have + new)).sum()
        };
        let best = (0..k).min_by(|&a, &b| growth(&filled[a]).total_cmp(&growth(&filled[b]))).unwrap_or(0);
        filled[best].iter_mut().zip(&counts[group]).for_each(|(have, new)| *have += new);
        fold_of[group] = best;
    }
    let fold = |number: usize| {
        let (test, train): (Vec<_>, Vec<_>) = clips.iter().partition(|clip| fold_of[clip.2] == number);
        let indices = |clips: Vec<(usize, usize, usize)>| clips.into_iter().map(|clip| clip.0).collect();
        Fold { train: indices(train), test: indices(test) }
    };
    Ok((0..k).map(fold).collect())
}
