//! Gathers items that belong together, from anywhere in a file, in bounded memory.
//!
//! Little is kept in memory in the order it came. Much is parted by a hash of what belongs together and kept in an unnamed
//! temporary file, from which part after part is read again; the items of a part are in the order they came.

use std::{
    fs::File,
    hash::{DefaultHasher, Hash, Hasher as _},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
};

use prost::Message;

/// Parts of what does not stay in memory: five million items give some forty thousand each.
const PARTS: usize = 128;

/// How much memory is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpoolLimits {
    /// Encoded bytes kept in memory before anything goes to a file.
    pub(crate) memory: usize,
    /// Bytes gathered for a part before they are written.
    pub(crate) block: usize,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self { memory: 8 << 20, block: 64 << 10 }
    }
}

/// Items under way.
pub(crate) struct Spool<T> {
    limits: SpoolLimits,
    memory: Vec<(u64, T)>,
    weight: usize,
    spilled: Option<Spilled>,
}

struct Spilled {
    file: File,
    length: u64,
    buffers: Vec<Vec<u8>>,
    /// For each part where its blocks lie and how long they are.
    blocks: Vec<Vec<(u64, usize)>>,
}

/// A number that is the same for equal keys, in every run.
pub(crate) fn hash(key: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl<T: Message + Default> Spool<T> {
    pub(crate) fn new(limits: SpoolLimits) -> Self {
        Self { limits, memory: Vec::new(), weight: 0, spilled: None }
    }

    /// Takes an item; items of one key come out in one part.
    pub(crate) fn push(&mut self, key: &impl Hash, item: T) -> io::Result<()> {
        let key = hash(key);
        if let Some(spilled) = &mut self.spilled {
            return spilled.push(key, &item, self.limits.block);
        }
        self.weight += item.encoded_len();
        self.memory.push((key, item));
        if self.weight > self.limits.memory {
            let mut spilled = Spilled::new()?;
            for (key, item) in std::mem::take(&mut self.memory) {
                spilled.push(key, &item, self.limits.block)?;
            }
            self.spilled = Some(spilled);
        }
        Ok(())
    }

    /// Gives part after part to `take`.
    pub(crate) fn each_part<E: From<io::Error>>(self, mut take: impl FnMut(Vec<T>) -> Result<(), E>) -> Result<(), E> {
        let Some(mut spilled) = self.spilled else {
            return take(self.memory.into_iter().map(|(_, item)| item).collect());
        };
        for part in 0..PARTS {
            take(spilled.read(part)?)?;
        }
        Ok(())
    }
}

impl Spilled {
    fn new() -> io::Result<Self> {
        let part = || (Vec::new(), Vec::new());
        let (buffers, blocks) = std::iter::repeat_with(part).take(PARTS).unzip();
        Ok(Self { file: tempfile::tempfile()?, length: 0, buffers, blocks })
    }

    fn push<T: Message>(&mut self, key: u64, item: &T, block: usize) -> io::Result<()> {
        let part = usize::try_from(key % PARTS as u64).unwrap_or_default();
        let buffer = &mut self.buffers[part];
        item.encode_length_delimited(buffer).map_err(io::Error::other)?;
        if buffer.len() < block {
            return Ok(());
        }
        self.file.write_all(buffer)?;
        self.blocks[part].push((self.length, buffer.len()));
        self.length += buffer.len() as u64;
        buffer.clear();
        Ok(())
    }

    fn read<T: Message + Default>(&mut self, part: usize) -> io::Result<Vec<T>> {
        let mut items = Vec::new();
        let mut block = Vec::new();
        for (offset, length) in std::mem::take(&mut self.blocks[part]) {
            self.file.seek(SeekFrom::Start(offset))?;
            block.resize(length, 0);
            self.file.read_exact(&mut block)?;
            decode(&block, &mut items)?;
        }
        decode(&std::mem::take(&mut self.buffers[part]), &mut items)?;
        Ok(items)
    }
}

fn decode<T: Message + Default>(mut bytes: &[u8], items: &mut Vec<T>) -> io::Result<()> {
    while !bytes.is_empty() {
        items.push(T::decode_length_delimited(&mut bytes).map_err(io::Error::other)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use insights_proto::ingestion::v1::Attribution;

    use super::*;

    fn item(key: usize, number: usize) -> Attribution {
        Attribution { location_id: Some(format!("K-{key}")), r#type: Some(number.to_string()) }
    }

    #[test]
    fn what_belongs_together_comes_together_in_order_in_memory_and_from_a_file() {
        for memory in [1 << 20, 100] {
            let mut spool = Spool::new(SpoolLimits { memory, block: 64 });
            for number in 0..3_000 {
                spool.push(&(number % 500), item(number % 500, number)).unwrap();
            }
            let (mut done, mut items) = (HashSet::new(), 0);
            spool
                .each_part(|part: Vec<Attribution>| {
                    let keys: HashSet<_> = part.iter().map(|item| item.location_id.clone()).collect();
                    for key in keys {
                        let numbers: Vec<usize> = part
                            .iter()
                            .filter(|item| item.location_id == key)
                            .map(|item| item.r#type.as_ref().unwrap().parse().unwrap())
                            .collect();
                        assert!(numbers.len() == 6 && numbers.is_sorted(), "{numbers:?}");
                        assert!(done.insert(key), "a key comes in one part");
                    }
                    items += part.len();
                    Ok::<_, io::Error>(())
                })
                .unwrap();
            assert_eq!((items, done.len()), (3_000, 500));
        }
    }
}
