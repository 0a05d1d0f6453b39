//! The body of an activity chunk: day masks of up to 256 users of one customer, service and month.
//!
//! Format 1: byte 0 is the version, byte 1 the form. Dense (0): a little-endian u32 per user from the first of the bucket
//! on, trailing users without activity left out. Sparse (1): a byte with the user's place in the bucket, then its u32.
//! The shorter form is written.

/// Users of one chunk.
pub(crate) const BUCKET: usize = 256;

const VERSION: u8 = 1;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;

/// Day masks by place in the bucket; bit 0 is the first of the month.
pub(crate) type Masks = [u32; BUCKET];

/// A stored chunk that this version cannot read.
#[derive(Debug, thiserror::Error)]
#[error("an activity chunk is damaged or was written by a later version")]
pub(crate) struct Unreadable;

/// Reads a body into empty masks.
pub(crate) fn decode(body: &[u8], masks: &mut Masks) -> Result<(), Unreadable> {
    let [VERSION, form, rest @ ..] = body else { return Err(Unreadable) };
    match *form {
        DENSE => {
            let (words, left) = rest.as_chunks::<4>();
            if !left.is_empty() || words.len() > BUCKET {
                return Err(Unreadable);
            }
            for (mask, word) in masks.iter_mut().zip(words) {
                *mask = u32::from_le_bytes(*word);
            }
            Ok(())
        }
        SPARSE => {
            let (entries, left) = rest.as_chunks::<5>();
            if !left.is_empty() {
                return Err(Unreadable);
            }
            for [place, word @ ..] in entries {
                masks[usize::from(*place)] = u32::from_le_bytes(*word);
            }
            Ok(())
        }
        _ => Err(Unreadable),
    }
}

/// The body of these masks; `None` when nobody was active.
pub(crate) fn encode(masks: &Masks) -> Option<Vec<u8>> {
    let dense = masks.iter().rposition(|mask| *mask != 0)? + 1;
    let sparse = masks[..dense].iter().filter(|mask| **mask != 0).count();
    let mut body;
    if sparse * 5 < dense * 4 {
        body = Vec::with_capacity(2 + sparse * 5);
        body.extend([VERSION, SPARSE]);
        for (place, mask) in (0..=u8::MAX).zip(&masks[..dense]) {
            if *mask != 0 {
                body.push(place);
                body.extend(mask.to_le_bytes());
            }
        }
    } else {
        body = Vec::with_capacity(2 + dense * 4);
        body.extend([VERSION, DENSE]);
        for mask in &masks[..dense] {
            body.extend(mask.to_le_bytes());
        }
    }
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_read_as_they_were_written() {
        let mut masks = [0; BUCKET];
        assert!(encode(&masks).is_none());
        for (places, form) in
            [(vec![255], SPARSE), (vec![0], DENSE), ((0..256).collect::<Vec<_>>(), DENSE), (vec![3, 9], SPARSE)]
        {
            masks.fill(0);
            for place in places {
                masks[place] = 0x7000_0001 + u32::try_from(place).unwrap();
            }
            let body = encode(&masks).unwrap();
            assert_eq!(body[1], form);
            let mut read = [0; BUCKET];
            decode(&body, &mut read).unwrap();
            assert_eq!(read, masks);
        }
    }

    #[test]
    fn unknown_bodies_are_refused() {
        let mut masks = [0; BUCKET];
        for body in [&[][..], &[2, 0], &[1, 2], &[1, 0, 1], &[1, 1, 1, 1], &vec![1; 2 + 4 * 257]] {
            assert!(decode(body, &mut masks).is_err());
        }
    }
}
