//! What the place of a file says about it, within a folder that is imported: whose it is, and of when.

use std::path::Path;

use insights_domain::calendar::{Day, Month};
use insights_domain::ids::{GUID_LENGTH, is_guid};

/// What a path says. The file's own name says more than its folder, a nearer folder more than one further up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PathHints {
    /// A GUID in a name, or what follows `customer=`.
    pub(super) customer: Option<String>,
    /// `2024-06` in a name.
    pub(super) month: Option<Month>,
    /// `2024-06-15` in a name.
    pub(super) day: Option<Day>,
}

/// What the path of a file within the imported folder says.
pub(super) fn place(path: &Path) -> PathHints {
    let mut place = PathHints::default();
    let mut names: Vec<&str> = path.iter().filter_map(|name| name.to_str()).collect();
    names.reverse();
    for (depth, name) in names.into_iter().enumerate() {
        // An extension is no part of what a name says.
        let name = if depth == 0 { name.rsplit_once('.').map_or(name, |(stem, _)| stem) } else { name };
        let guid = guid(name);
        let customer = name.strip_prefix("customer=").or(guid.map(|at| &name[at..at + GUID_LENGTH]));
        if place.customer.is_none() {
            place.customer = customer.filter(|customer| !customer.is_empty()).map(str::to_owned);
        }
        let rest = guid.map_or_else(|| name.to_owned(), |at| format!("{} {}", &name[..at], &name[at + GUID_LENGTH..]));
        if place.month.is_none() && place.day.is_none() {
            place.day = date(&rest, 10).and_then(|text| text.parse().ok());
            place.month = date(&rest, 7).filter(|_| place.day.is_none()).and_then(|text| text.parse().ok());
        }
    }
    place
}

/// Where a GUID stands in a name, apart from other letters and digits.
fn guid(name: &str) -> Option<usize> {
    apart(name, GUID_LENGTH).find(|at| is_guid(&name[*at..*at + GUID_LENGTH]))
}

/// A part of `length` that is made like a date and stands apart from other letters, digits and dashes.
fn date(name: &str, length: usize) -> Option<&str> {
    let is_date = |text: &str| {
        text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    };
    let dash = |at: usize| name.as_bytes().get(at) == Some(&b'-');
    let parts = apart(name, length).filter(|at| !dash(at + length) || length == 10);
    let found = parts.map(|at| &name[at..at + length]).find(|text| is_date(text))?;
    Some(found)
}

/// Where parts of `length` bytes begin that have no letter or digit on either side.
fn apart(name: &str, length: usize) -> impl Iterator<Item = usize> {
    let free =
        |at: Option<usize>| at.and_then(|at| name.as_bytes().get(at)).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let last = name.len().checked_sub(length);
    let starts = last.into_iter().flat_map(|last| 0..=last);
    let whole = move |at: &usize| name.is_char_boundary(*at) && name.is_char_boundary(*at + length);
    starts.filter(whole).filter(move |at| free(at.checked_sub(1)) && free(Some(at + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &str) -> (Option<String>, Option<String>, Option<String>) {
        let PathHints { customer, month, day } = place(Path::new(path));
        (customer, month.map(|it| it.to_string()), day.map(|it| it.to_string()))
    }

    #[test]
    fn names_say_whose_a_file_is_and_of_when() {
        let id = "c0ffee00-0001-4e00-9e00-0000000000aa";
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(said(&format!("{id}/skus.json")), (some(id), None, None));
        assert_eq!(said(&format!("2024-06/{id}-subscribedSkus.json")), (some(id), some("2024-06"), None));
        assert_eq!(said(&format!("{id}/subscriptions_2024-06-15.json")), (some(id), None, some("2024-06-15")));
        assert_eq!(said("customer=C-1/month=2024-06/x.json"), (some("C-1"), some("2024-06"), None));
        assert_eq!(said("graph/12024-06/x-2024-13.json"), (None, None, None));
        assert_eq!(said("ümlaut-2024-06-ß.json").1, None, "followed by a dash it may be anything");
        assert_eq!(said("ümlaut 2024-06 ß.json").1, some("2024-06"));
    }
}
