//! Loaded models, kept for the next who wants them: least recently used ones make room when all together are too many bytes.
//!
//! A model that makes room while it is played plays on, because whoever plays it shares its weights; it is only loaded anew
//! for the next.

use lru::LruCache;
use std::sync::Arc;

/// See the [module](self).
pub(super) struct Shelf<T> {
    models: LruCache<u64, Kept<T>>,
    /// Most bytes of all models together.
    most: usize,
    /// Bytes of all models together.
    bytes: usize,
}

struct Kept<T> {
    model: Arc<T>,
    bytes: usize,
}

impl<T> Shelf<T> {
    /// An empty shelf for `most` bytes, counted as the models' files are long.
    pub fn new(most: usize) -> Shelf<T> {
        Shelf { models: LruCache::unbounded(), most, bytes: 0 }
    }

    /// The model of this number, which is loaded unless it is there. The one that was asked for last is kept whatever its size.
    ///
    /// # Errors
    /// What `load` says; nothing is kept then.
    pub fn get_or_load<E>(
        &mut self,
        id: u64,
        bytes: usize,
        load: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        if let Some(kept) = self.models.get(&id) {
            return Ok(Arc::clone(&kept.model));
        }
        let model = Arc::new(load()?);
        self.models.put(id, Kept { model: Arc::clone(&model), bytes });
        self.bytes += bytes;
        while self.bytes > self.most && self.models.len() > 1 {
            let Some((_, gone)) = self.models.pop_lru() else { break };
            self.bytes -= gone.bytes;
        }
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a model of 4 bytes; says whether it had to be loaded.
    fn loads(shelf: &mut Shelf<u64>, id: u64) -> bool {
        let mut loaded = false;
        let model = shelf.get_or_load(id, 4, || {
            loaded = true;
            Ok::<_, ()>(10 * id)
        });
        assert_eq!(model.map(|model| *model), Ok(10 * id));
        loaded
    }

    #[test]
    fn the_least_recently_used_makes_room() {
        let mut shelf = Shelf::new(8);
        assert!(loads(&mut shelf, 1) && loads(&mut shelf, 2));
        assert!(!loads(&mut shelf, 1));
        assert!(loads(&mut shelf, 3), "there is room for two, and 2 was used longest ago");
        assert!(!loads(&mut shelf, 1) && !loads(&mut shelf, 3) && loads(&mut shelf, 2));
        assert_eq!((shelf.models.len(), shelf.bytes), (2, 8));
    }

    #[test]
    fn one_that_is_too_large_is_kept_alone_and_one_that_fails_not_at_all() {
        let mut shelf = Shelf::new(8);
        assert!(loads(&mut shelf, 1));
        assert_eq!(shelf.get_or_load(9, 100, || Err("damaged")), Err("damaged"));
        assert!(!loads(&mut shelf, 1));
        shelf.get_or_load(2, 100, || Ok::<_, ()>(20)).unwrap();
        assert_eq!((shelf.models.len(), shelf.bytes), (1, 100));
        assert!(!loads(&mut shelf, 2) && loads(&mut shelf, 1), "2 was too large to stay");
        assert_eq!(shelf.bytes, 4);
    }
}
