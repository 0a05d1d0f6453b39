//! Codes for what repeats: texts, sets of services, lists of attributions. Append-only; 0 is the missing or empty one.

use std::collections::HashMap;
use std::hash::Hash;

use insights_domain::facts::{Attribution, ServiceNumber};

use crate::cube::data::chunk::Attributes;

/// Numbers values in the order in which they come.
#[derive(Clone, Debug)]
pub struct Dictionary<T> {
    values: Vec<T>,
    codes: HashMap<T, u32>,
}

impl<T: Clone + Eq + Hash + Default> Default for Dictionary<T> {
    fn default() -> Self {
        let mut dictionary = Self { values: Vec::new(), codes: HashMap::new() };
        dictionary.code(&T::default());
        dictionary
    }
}

impl<T: Clone + Eq + Hash> Dictionary<T> {
    pub fn code(&mut self, value: &T) -> u32 {
        if let Some(code) = self.codes.get(value) {
            return *code;
        }
        let code = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(value.clone());
        self.codes.insert(value.clone(), code);
        code
    }

    /// The code of a value, unless it is new and `most` have codes already.
    pub fn code_of_at_most(&mut self, most: usize, value: &T) -> Option<u32> {
        (self.values.len() < most || self.codes.contains_key(value)).then(|| self.code(value))
    }

    pub fn value(&self, code: u32) -> &T {
        &self.values[code as usize]
    }

    pub fn values(&self) -> &[T] {
        &self.values
    }
}

impl Dictionaries {
    /// The code of a list of attributions, whose texts get codes of their own.
    pub fn attribute(&mut self, attributions: &Vec<Attribution>) -> u32 {
        for attribution in attributions {
            self.texts.code(&attribution.location);
            self.texts.code(&attribution.kind);
        }
        self.attributions.code(attributions)
    }
}

/// The dictionaries of one partner.
#[derive(Clone, Debug, Default)]
pub struct Dictionaries {
    /// Countries, segments, industries, sales channels, pricing models, locations, types and currencies; 0 is missing.
    pub texts: Dictionary<Option<String>>,
    /// Sorted sets of services; 0 is the empty one.
    pub services: Dictionary<Vec<ServiceNumber>>,
    /// Lists of attributions; 0 is the empty one.
    pub attributions: Dictionary<Vec<Attribution>>,
    /// Attributes of constant runs; fewer than [`NOT_CONSTANT`](crate::cube::data::chunk::NOT_CONSTANT).
    pub attributes: Dictionary<Attributes>,
}
