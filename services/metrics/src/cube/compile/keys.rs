//! Keys of groups: the codes of a query's `group_by` as the digits of one integer.

use crate::cube::MAX_GROUP_BY;
use crate::cube::compile::dimensions::DimensionColumn;
use crate::cube::data::chunk::{Attributes, TRIAL, standing_of};
use crate::cube::data::columns::{CustomerText, CustomerTexts, SubscriptionText};

/// The codes of up to four dimensions, each below 2^32, the first lowest.
pub type GroupKey = u128;

/// Where the columns that a query groups by stand in its keys.
#[derive(Clone, Debug)]
pub struct KeyLayout {
    /// By column: what a code is multiplied by; 0 when the query does not split by it.
    factors: [GroupKey; DimensionColumn::COUNT],
    /// By position in `group_by`: its factor and how many codes it has.
    digits: [(GroupKey, GroupKey); MAX_GROUP_BY],
    /// Keys are below this.
    end: GroupKey,
}

impl KeyLayout {
    /// `codes`: how many codes a column has, at most 2^32.
    pub fn new(group_by: &[DimensionColumn], codes: impl Fn(DimensionColumn) -> usize) -> Self {
        let mut layout = Self { factors: [0; _], digits: [(1, 1); _], end: 1 };
        for (digit, column) in layout.digits.iter_mut().zip(group_by) {
            let codes = codes(*column).max(1) as GroupKey;
            *digit = (layout.end, codes);
            layout.factors[column.index()] = layout.end;
            // Four dimensions of 2^32 codes would fill the whole integer, and the key after the last does not fit.
            layout.end = layout.end.saturating_mul(codes);
        }
        layout
    }

    /// Keys are below this.
    pub const fn end(&self) -> GroupKey {
        self.end
    }

    /// A column's part of the key; 0 when the query does not split by it.
    #[inline]
    pub fn part(&self, column: DimensionColumn, code: u32) -> GroupKey {
        self.factors[column.index()] * GroupKey::from(code)
    }

    /// The part of the key that a customer gives.
    #[inline]
    pub fn customer_part(&self, texts: &CustomerTexts, customer: u32) -> GroupKey {
        let texts = CustomerText::ALL.iter().zip(texts);
        let of_texts = texts.map(|(text, code)| self.part(DimensionColumn::CustomerText(*text), *code));
        of_texts.sum::<GroupKey>() + self.part(DimensionColumn::Customer, customer)
    }

    /// The part of the key that the attributes of subscriptions give, but for SKU and attributions, of which there may be several.
    pub fn attributes_part(&self, attributes: &Attributes) -> GroupKey {
        let texts = SubscriptionText::ALL.iter().zip(&attributes.texts);
        let of_texts = texts.map(|(text, code)| self.part(DimensionColumn::SubscriptionText(*text), *code));
        of_texts.sum::<GroupKey>() + self.part(DimensionColumn::Seller, u32::from(attributes.seller) + 1)
    }

    /// The part of the key that the state in force gives.
    pub fn state_part(&self, flags: u8) -> GroupKey {
        self.part(DimensionColumn::Standing, u32::from(standing_of(flags).code()) + 1)
            + self.part(DimensionColumn::Trial, u32::from(flags & TRIAL != 0) + 1)
    }

    /// The code of the dimension at a position of `group_by`.
    pub fn code(&self, key: GroupKey, at: usize) -> u32 {
        let (factor, codes) = self.digits[at];
        u32::try_from(key / factor % codes).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_its_codes_back() {
        use DimensionColumn as Column;
        let group_by = [Column::Customer, Column::Trial, Column::Subscription, Column::Sku];
        for most in [7, 1 << 32] {
            let layout = KeyLayout::new(&group_by, |column| if column == Column::Trial { 3 } else { most });
            let codes = [u32::try_from(most - 1).unwrap(), 2, 5, 6];
            let parts = group_by.iter().zip(codes).map(|(column, code)| layout.part(*column, code));
            let key = parts.sum();
            assert_eq!([0, 1, 2, 3].map(|at| layout.code(key, at)), codes);
            assert_eq!(layout.part(Column::Seller, 9), 0);
        }
    }
}
