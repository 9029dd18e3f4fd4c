//! Which clips belong together, judged by the names of their artists or files.

use std::collections::HashMap;

/// A group number for each clip, given as (artist, file stem, label). Groups are numbered in order of appearance.
///
/// Clips with a common artist name belong together. `Spring Spring (Julie Damsgaard)` is known under both names;
/// `J. S. Bach / Kimiko Ishizaka` is a recording by the one after the slash: composer and title may be shared with
/// recordings by others, the sound is the player's. A guest (`feat.`) counts as an artist of the clip.
///
/// A clip without an artist belongs to the clips of its class whose file names begin alike: up to the last `__`, else
/// without the number at the end (`interview-03` and `interview-04`). A name that is only the class and a number
/// (`jazz.00012`) says nothing, and the clip stands alone.
pub fn groups<'a>(
    clips: impl Iterator<Item = (&'a str, &'a str, Option<usize>)>,
    classes: &[String],
) -> Vec<usize> {
    let mut links = Links::default();
    let roots: Vec<usize> = clips
        .map(|(artist, stem, label)| {
            let names = artist_names(artist);
            if names.is_empty() {
                let class = label.map_or("", |label| classes[label].as_str());
                links.node(format!("file {class} {}", file_group(stem, class)))
            } else {
                let nodes: Vec<usize> =
                    names.iter().map(|name| links.node(format!("artist {name}"))).collect();
                nodes.windows(2).for_each(|pair| links.join(pair[0], pair[1]));
                nodes[0]
            }
        })
        .collect();
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    let mut number = |root| {
        let next = numbers.len();
        *numbers.entry(root).or_insert(next)
    };
    roots.into_iter().map(|node| number(links.root(node))).collect()
}

/// The names that an artist is known under, lower case with single spaces. Empty for no artist.
pub fn artist_names(artist: &str) -> Vec<String> {
    let performer = artist.rsplit('/').next().unwrap_or(artist).to_lowercase();
    let mut text = performer.replace(['(', ')', '[', ']', ';'], "|");
    for guest in [" feat. ", " featuring ", " ft. "] {
        text = text.replace(guest, "|");
    }
    let names = text.split('|').map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
    names.filter(|name| !name.is_empty()).collect()
}

/// The part of a file name's stem that related files share.
fn file_group<'a>(stem: &'a str, class: &str) -> &'a str {
    if let Some((group, _)) = stem.rsplit_once("__")
        && !group.is_empty()
    {
        return group;
    }
    let group =
        stem.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['-', '_', '.', ' ', '(', '#']);
    if group.is_empty() || group.eq_ignore_ascii_case(class) { stem } else { group }
}

/// Union-find over named nodes.
#[derive(Default)]
struct Links {
    index: HashMap<String, usize>,
    parent: Vec<usize>,
}

impl Links {
    fn node(&mut self, name: String) -> usize {
        *self.index.entry(name).or_insert_with(|| {
            self.parent.push(self.parent.len());
            self.parent.len() - 1
        })
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parent[node] != node {
            self.parent[node] = self.parent[self.parent[node]];
            node = self.parent[node];
        }
        node
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }
}
