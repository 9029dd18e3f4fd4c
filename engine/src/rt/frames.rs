//! Blocks of any length in, mono frames of one hop out.
//!
//! While the song plays and the host says where, frames end at song positions that are multiples of the hop, so that the
//! same bars give the same frames on every pass, whatever the loop's length and the block size. Otherwise frames simply
//! follow each other.
//!
//! At a jump (a loop's end, a locate) the samples since the last frame and those up to the next grid position do not make
//! up a hop. Three rules keep frames 0.5 to 2 hops apart and still the same on every pass:
//!
//! * a frame always holds the last hop of samples heard, wherever the previous one ended;
//! * a grid position closer than half a hop to the previous frame is passed over;
//! * a jump that finds a whole hop waiting ends a frame there and then. So loops too short to contain a grid position are
//!   framed at their wrap.
//!
//! A jump, the beginning of the loop that the host plays, and a start or stop of the song are *seams*: what was heard before
//! one is another passage. Every frame says how many frames in a row, itself the last, hold nothing from before the last
//! seam. A seam less than [`SHORTEST_PASSAGE`] hops after another is none, so that stutters and hosts with a wild position
//! do not cut the sound into crumbs.

use crate::controls::Transport;

/// One hop of mono samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame<'a> {
    /// The last hop of samples heard.
    pub samples: &'a [f32],
    /// Where on the grid the frame ends, in hops: the song position while locked, else a count. Work that is not done for
    /// every frame follows it, so that it falls on the same frames on every pass.
    pub index: i64,
    /// Frames in a row, this one included, that hold only samples from after the last seam; 0 while one does not.
    pub fresh: u32,
}

/// Hops that a passage lasts at least, from one seam to the next.
pub const SHORTEST_PASSAGE: usize = 5;

/// See the [module](self).
pub struct Framer {
    hop: usize,
    /// The hop before the last frame's end, then what came since (less than two hops).
    buffer: Vec<f32>,
    /// Samples since the last frame's end.
    waiting: usize,
    /// Song position of the next sample while locked to the song.
    locked: Option<i64>,
    /// Where the host's loop begins.
    loop_start: Option<i64>,
    /// Number of frames ended so far while free, and the grid index of the last frame's end while locked.
    index: i64,
    /// Samples since the last seam.
    since_seam: usize,
    /// [`Frame::fresh`] of the last frame; 0 since a seam.
    fresh: u32,
}

impl Framer {
    /// Frames of `hop` samples (at least 1). Allocates.
    pub fn new(hop: usize) -> Framer {
        let hop = hop.max(1);
        Framer {
            hop,
            buffer: vec![0.0; 3 * hop],
            waiting: 0,
            locked: None,
            loop_start: None,
            index: 0,
            since_seam: 0,
            fresh: 0,
        }
    }

    /// Tells what the host says about the block that follows. Returns the frame that a jump ended before the block's
    /// first sample, if any. Not to be called for empty blocks.
    pub fn begin_block(&mut self, transport: Transport) -> Option<Frame<'_>> {
        let position = if transport.playing { transport.position } else { None };
        let before = std::mem::replace(&mut self.locked, position);
        self.loop_start = transport.loop_start.filter(|_| position.is_some());
        let seam = match (before, position) {
            // Hosts that count in beats are some samples off now and then; that is no jump.
            (Some(before), Some(now)) => now.abs_diff(before) as usize >= self.hop.div_ceil(2),
            (None, None) => false,
            _ => true,
        };
        // While free a whole hop waits only just after a song stopped.
        if self.waiting >= self.hop && (position != before || position.is_none()) {
            let count = self.index.wrapping_add(1);
            self.index = before.map_or(count, |before| before.div_euclid(self.hop as i64));
            let fresh = self.count_fresh();
            self.meet_seam(seam, 0);
            self.take_frame();
            return Some(self.frame(fresh));
        }
        self.meet_seam(seam, 0);
        None
    }

    /// A seam lies `since` samples back, if `seam`.
    fn meet_seam(&mut self, seam: bool, since: usize) {
        if seam && self.since_seam.saturating_sub(since) >= SHORTEST_PASSAGE * self.hop {
            (self.since_seam, self.fresh) = (since, 0);
        }
    }

    /// Counts a frame that ends now.
    fn count_fresh(&mut self) -> u32 {
        self.fresh = if self.since_seam >= self.hop { self.fresh.saturating_add(1) } else { 0 };
        self.fresh
    }

    /// Samples up to the next possible end of a frame, at least 1.
    pub fn run(&self) -> usize {
        match self.locked {
            // Lossless: the remainder is below the hop.
            Some(position) => self.hop - position.rem_euclid(self.hop as i64) as usize,
            None => self.hop.saturating_sub(self.waiting).max(1),
        }
    }

    /// Takes samples `start..end` of the block, at most [`run`](Self::run) of them, and returns the frame that ends with
    /// the last of them, if one does. `channels` are mixed to mono by their mean.
    pub fn push(&mut self, channels: &[&mut [f32]], start: usize, end: usize) -> Option<Frame<'_>> {
        let count = end.saturating_sub(start).min(self.run());
        let end = start + count;
        let from = self.hop + self.waiting;
        let room = self.buffer.get_mut(from..from + count)?;
        match channels {
            [] => room.fill(0.0),
            [mono] => room.copy_from_slice(mono.get(start..end)?),
            [left, right, ..] => {
                for ((out, l), r) in room.iter_mut().zip(left.get(start..end)?).zip(right.get(start..end)?) {
                    *out = 0.5 * (l + r);
                }
            }
        }
        self.waiting += count;
        self.since_seam = self.since_seam.saturating_add(count);
        if let (Some(start), Some(position)) = (self.loop_start, self.locked) {
            let into = start.wrapping_sub(position);
            self.meet_seam((0..count as i64).contains(&into), count - into.clamp(0, count as i64) as usize);
        }
        match &mut self.locked {
            Some(position) => {
                *position = position.wrapping_add(count as i64);
                let on_grid = position.rem_euclid(self.hop as i64) == 0;
                if !(on_grid && 2 * self.waiting >= self.hop) {
                    return None;
                }
                self.index = position.div_euclid(self.hop as i64);
            }
            None if self.waiting >= self.hop => self.index = self.index.wrapping_add(1),
            None => return None,
        }
        let fresh = self.count_fresh();
        self.take_frame();
        Some(self.frame(fresh))
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        self.buffer.fill(0.0);
        (self.waiting, self.locked, self.loop_start, self.index) = (0, None, None, 0);
        (self.since_seam, self.fresh) = (0, 0);
    }

    /// Moves the last hop heard to the buffer's beginning.
    fn take_frame(&mut self) {
        self.buffer.copy_within(self.waiting..self.waiting + self.hop, 0);
        self.waiting = 0;
    }

    fn frame(&self, fresh: u32) -> Frame<'_> {
        Frame { samples: self.buffer.get(..self.hop).unwrap_or(&[]), index: self.index, fresh }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOP: usize = 100;

    /// A frame as it came out: the stream sample after its last one, its grid index, its samples.
    type Heard = (usize, i64, Vec<f32>);

    /// The sample that the song holds at a position.
    fn song(position: i64) -> f32 {
        (position as f32 * 0.37).sin() + (position as f32 * 0.011).cos()
    }

    /// Feeds blocks given as (transport, length); each block's samples are the song's where the transport says.
    fn frames(framer: &mut Framer, blocks: impl IntoIterator<Item = (Transport, usize)>) -> Vec<Heard> {
        let (mut out, mut heard) = (vec![], 0);
        for (transport, length) in blocks {
            if length == 0 {
                continue;
            }
            let at = transport.position.unwrap_or(0);
            let mut samples: Vec<f32> = (0..length as i64).map(|i| song(at.wrapping_add(i))).collect();
            if let Some(frame) = framer.begin_block(transport) {
                out.push((heard, frame.index, frame.samples.to_vec()));
            }
            let channels: &[&mut [f32]] = &[&mut samples];
            let mut start = 0;
            while start < length {
                let end = length.min(start + framer.run());
                if let Some(frame) = framer.push(channels, start, end) {
                    out.push((heard + end, frame.index, frame.samples.to_vec()));
                }
                start = end;
            }
            heard += length;
        }
        out
    }

    fn at(position: i64) -> Transport {
        Transport { playing: true, position: Some(position), ..Transport::default() }
    }

    /// The blocks that a host sends: `passes` times through `from..to`, cut at the loop's end, else of the sizes given.
    fn passes(from: i64, to: i64, passes: usize, sizes: &[usize]) -> Vec<(Transport, usize)> {
        let mut sizes = sizes.iter().cycle();
        let mut blocks = vec![];
        for _ in 0..passes {
            let mut position = from;
            while position < to {
                let length = (*sizes.next().unwrap_or(&1)).min((to - position) as usize);
                blocks.push((at(position), length));
                position += length as i64;
            }
        }
        blocks
    }

    #[test]
    fn free_frames_follow_each_other_whatever_the_block_size() {
        let stopped = Transport::default();
        for size in [1, 7, 99, 100, 101, 1024] {
            let all = frames(&mut Framer::new(HOP), (0..3000 / size).map(|_| (stopped, size)));
            assert_eq!(all.len(), 3000 / size * size / HOP);
            assert!(all.iter().enumerate().all(|(k, f)| f.0 == (k + 1) * HOP && f.1 == k as i64 + 1));
        }
    }

    #[test]
    fn locked_frames_end_on_the_grid_and_hold_the_song() {
        for from in [-1234, -100, 0, 37, 250] {
            for size in [1, 64, 100, 333, 4096] {
                let all = frames(&mut Framer::new(HOP), passes(from, from + 5000, 1, &[size]));
                assert!(all.len() >= 49);
                for (heard, index, frame) in all.iter().skip(1) {
                    let end = from + *heard as i64;
                    assert_eq!(end, index * HOP as i64, "from {from} size {size}");
                    let wanted: Vec<f32> = (end - HOP as i64..end).map(song).collect();
                    assert_eq!(*frame, wanted);
                }
            }
        }
    }

    #[test]
    fn every_pass_of_a_loop_gives_the_same_frames() {
        for length in [1, 30, 49, 50, 99, 100, 101, 149, 150, 151, 777, 1000, 1013] {
            for from in [-270, 0, 3, 60, 99] {
                let mut reference: Option<Vec<(i64, Vec<f32>)>> = None;
                for sizes in [&[1usize][..], &[64], &[8192], &[5, 0, 130, 17]] {
                    let count = 60;
                    let all = frames(&mut Framer::new(HOP), passes(from, from + length, count, sizes));
                    let gaps = all.windows(2).map(|w| w[1].0 - w[0].0);
                    assert!(gaps.clone().all(|gap| 2 * gap >= HOP && gap < 2 * HOP), "{length} {from}");
                    // From the third pass on: what came before the loop has left the frames.
                    let within = |pass: usize| {
                        let start = pass * length as usize;
                        let frames =
                            all.iter().filter(move |f| f.0 > start && f.0 <= start + length as usize);
                        frames.map(|f| (f.1, f.2.clone())).collect::<Vec<_>>()
                    };
                    if length as usize >= HOP {
                        let third = within(3);
                        assert!(!third.is_empty());
                        assert!(
                            (4..count - 1).all(|pass| within(pass) == third),
                            "{length} {from} {sizes:?}"
                        );
                        assert_eq!(*reference.get_or_insert(third.clone()), third, "block size matters");
                    } else {
                        // Shorter than a frame: frames come every few passes, and are all alike.
                        let late: Vec<_> = all.iter().skip(4).map(|f| &f.2).collect();
                        assert!(
                            late.len()
                                >= 60 * length as usize / (2 * HOP) - 4.min(60 * length as usize / (2 * HOP))
                        );
                        assert!(late.windows(2).all(|w| w[0] == w[1]), "{length} {from} {sizes:?}");
                    }
                }
            }
        }
    }

    /// Frames as in [`frames`], with [`Frame::fresh`] and without the place in the stream.
    fn fresh_frames(blocks: impl IntoIterator<Item = (Transport, usize)>) -> Vec<(u32, i64, Vec<f32>)> {
        let (mut framer, mut out) = (Framer::new(HOP), vec![]);
        for (transport, length) in blocks {
            let at = transport.position.unwrap_or(0);
            let mut samples: Vec<f32> = (0..length as i64).map(|i| song(at + i)).collect();
            out.extend(framer.begin_block(transport).map(|f| (f.fresh, f.index, f.samples.to_vec())));
            let channels: &[&mut [f32]] = &[&mut samples];
            let mut start = 0;
            while start < length {
                let end = length.min(start + framer.run());
                let frame = framer.push(channels, start, end);
                out.extend(frame.map(|f| (f.fresh, f.index, f.samples.to_vec())));
                start = end;
            }
        }
        out
    }

    #[test]
    fn fresh_frames_are_the_same_from_the_first_pass_on_and_count_from_the_seam() {
        for length in [800, 801, 849, 850, 851, 899, 1013, 2777] {
            for from in [-270, 0, 3, 60, 99] {
                let lead_in = passes(from - 1530, from, 1, &[77]);
                // Jumped into, or played into with the host telling where its loop begins.
                for (jump, loop_start) in [(9_999, None), (0, Some(from))] {
                    let mut blocks: Vec<_> = lead_in.clone();
                    blocks.extend(passes(from, from + length, 7, &[64, 8192, 5]));
                    for (n, (transport, _)) in blocks.iter_mut().enumerate() {
                        transport.loop_start = loop_start;
                        let before = if n < lead_in.len() { jump } else { 0 };
                        transport.position = transport.position.map(|position| position - before);
                    }
                    let all = fresh_frames(blocks);
                    // A passage may begin with frames that hold both sides of the seam.
                    let mut passages: Vec<Vec<_>> = vec![];
                    for frame in all.into_iter().filter(|frame| frame.0 > 0) {
                        match passages.last_mut() {
                            Some(passage) if frame.0 > 1 => passage.push(frame),
                            _ => passages.push(vec![frame]),
                        }
                    }
                    // The last one may lack the frame that a jump ends.
                    passages.pop();
                    assert!(passages.len() >= 7, "{length} {from}");
                    let of_loop = &passages[passages.len() - 6..];
                    assert!(of_loop.windows(2).all(|w| w[0] == w[1]), "{length} {from} {jump}");
                    let least = length as usize / HOP - 2;
                    assert!(of_loop[0].len() >= least, "{length} {from}");
                    for (n, (fresh, index, samples)) in (1..).zip(&of_loop[0]) {
                        assert_eq!(*fresh, n);
                        let end = if samples.last() == Some(&song(from + length - 1)) {
                            from + length
                        } else {
                            index * HOP as i64
                        };
                        assert_eq!(*samples, (end - HOP as i64..end).map(song).collect::<Vec<_>>());
                    }
                }
            }
        }
    }

    #[test]
    fn stutters_and_small_steps_are_no_seams() {
        // 300 samples round and round: a seam every second time.
        let all = fresh_frames(passes(50, 350, 30, &[64]));
        assert!(all.iter().any(|frame| frame.0 >= 4), "{:?}", all.iter().map(|f| f.0).collect::<Vec<_>>());
        // A host that is one sample off now and then.
        let blocks = (0..50).map(|n| (at(n * 200 + n % 3), 200));
        assert_eq!(fresh_frames(blocks).last().map(|frame| frame.0 >= 95), Some(true));
        // Starting and stopping is a seam.
        let stopped = (0..20).map(|_| (Transport::default(), 100));
        let started = fresh_frames(stopped.chain((0..20).map(|n| (at(n * 100), 100))));
        assert!(started.iter().map(|frame| frame.0).max() <= Some(20));
    }

    #[test]
    fn a_jump_is_noticed_and_stopping_goes_on_without_a_gap() {
        let mut framer = Framer::new(HOP);
        let blocks = [(at(0), 250), (at(100_020), 400), (at(-i64::MAX), 300), (at(i64::MAX - 10), 64)];
        let all = frames(&mut framer, blocks);
        let ends: Vec<usize> = all.iter().map(|f| f.0).collect();
        // 0, 100 and 200 lie in the first block; 100 100 comes 80 after its start, 130 after the last frame.
        assert_eq!(ends[..3], [100, 200, 330]);
        let stopped = frames(&mut framer, [(Transport::default(), 1000)]);
        assert!(stopped.len() >= 9);
        assert!(stopped.windows(2).all(|w| w[1].0 - w[0].0 == HOP && w[1].1 == w[0].1 + 1));
    }

    #[test]
    fn a_host_that_repeats_its_position_still_gets_frames() {
        let all = frames(&mut Framer::new(HOP), (0..100).map(|_| (at(1_000_017), 64)));
        assert!(all.len() >= 100 * 64 / (2 * HOP) - 1);
    }

    #[test]
    fn two_channels_are_mixed_by_their_mean() {
        let mut framer = Framer::new(4);
        framer.begin_block(Transport::default());
        let (mut left, mut right) = ([1.0, 2.0, 3.0, 4.0], [3.0, 2.0, 1.0, -4.0]);
        let channels: &[&mut [f32]] = &[&mut left, &mut right];
        let frame = framer.push(channels, 0, 4);
        assert_eq!(frame, Some(Frame { samples: &[2.0, 2.0, 2.0, 0.0], index: 1, fresh: 1 }));
    }
}
