//! The body of an activity chunk: what up to 64 users of one customer did in a month, on every service.
//!
//! Format 2: the version, then a section for each service that was used, in the order of their numbers: the number (u32),
//! a bit for each user who used it (u64), the day mask of each of them (u32). All little-endian.

use crate::error::Error;

/// Users of one chunk.
pub(crate) const BUCKET: usize = 64;

const VERSION: u8 = 2;
/// Bytes of a section before its masks.
const HEAD: usize = 12;

/// Day masks by place in the bucket; bit 0 is the first of the month.
pub(crate) type Masks = [u32; BUCKET];

fn unreadable() -> Error {
    Error::Damaged("an activity chunk is damaged or was written by a later version".to_owned())
}

/// Day masks by service. The place of a service stays when others are added.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActivityChunk {
    services: Vec<(i32, Masks)>,
}

impl ActivityChunk {
    /// Reads a body.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, Error> {
        let mut chunk = Self::default();
        chunk.read(body)?;
        Ok(chunk)
    }

    /// Replaces the chunk by that of a body; an empty body is an empty chunk.
    pub(crate) fn read(&mut self, body: &[u8]) -> Result<(), Error> {
        self.services.clear();
        let mut rest = match body {
            [] => return Ok(()),
            [VERSION, rest @ ..] => rest,
            _ => return Err(unreadable()),
        };
        while let Some((head, after)) = rest.split_first_chunk::<HEAD>() {
            let [a, b, c, d, users @ ..] = *head;
            let mut users = u64::from_le_bytes(users);
            let (words, after) = after.split_at_checked(users.count_ones() as usize * 4).ok_or_else(unreadable)?;
            let mut masks = [0; BUCKET];
            for word in words.as_chunks::<4>().0 {
                masks[users.trailing_zeros() as usize] = u32::from_le_bytes(*word);
                users &= users - 1;
            }
            self.services.push((i32::from_le_bytes([a, b, c, d]), masks));
            rest = after;
        }
        let in_order = self.services.is_sorted_by(|(a, _), (b, _)| a < b);
        if rest.is_empty() && in_order { Ok(()) } else { Err(unreadable()) }
    }

    /// The body; `None` when there is no activity.
    pub(crate) fn encode(&mut self) -> Option<Vec<u8>> {
        self.services.sort_unstable_by_key(|(service, _)| *service);
        let mut body = Vec::with_capacity(1 + self.services.len() * (HEAD + BUCKET * 4));
        body.push(VERSION);
        for (service, masks) in &self.services {
            let users = (0..BUCKET).fold(0_u64, |users, place| users | u64::from(masks[place] != 0) << place);
            if users == 0 {
                continue;
            }
            body.extend(service.to_le_bytes());
            body.extend(users.to_le_bytes());
            for mask in masks.iter().filter(|mask| **mask != 0) {
                body.extend(mask.to_le_bytes());
            }
        }
        (body.len() > 1).then_some(body)
    }

    /// The place of a service, which is added when it has none.
    pub(crate) fn place_of(&mut self, service: i32) -> usize {
        let found = self.services.iter().position(|(number, _)| *number == service);
        found.unwrap_or_else(|| {
            self.services.push((service, [0; BUCKET]));
            self.services.len() - 1
        })
    }

    /// The service at a place, and its masks.
    pub(crate) fn at(&mut self, place: usize) -> (i32, &mut Masks) {
        let (service, masks) = &mut self.services[place];
        (*service, masks)
    }

    /// Services and their masks.
    pub(crate) fn services(&self) -> impl Iterator<Item = (i32, &Masks)> {
        self.services.iter().map(|(service, masks)| (*service, masks))
    }

    /// The same, to change them.
    pub(crate) fn services_mut(&mut self) -> impl Iterator<Item = (i32, &mut Masks)> {
        self.services.iter_mut().map(|(service, masks)| (*service, masks))
    }
}

/// Days of the month on which any user of these masks was active.
pub(crate) fn days(masks: &Masks) -> u32 {
    masks.iter().fold(0, |days, mask| days | mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_read_as_they_were_written() {
        assert!(ActivityChunk::default().encode().is_none());
        let mut chunk = ActivityChunk::default();
        for (service, places) in [(7, vec![0]), (2, (0..64).collect::<Vec<_>>()), (i32::MAX, vec![3, 63]), (5, vec![])]
        {
            let at = chunk.place_of(service);
            assert_eq!(chunk.place_of(service), at);
            for place in places {
                chunk.at(at).1[place] = 0x7000_0001 + u32::try_from(place).unwrap();
            }
        }
        let body = chunk.encode().unwrap();
        assert_eq!(body.len(), 1 + 3 * HEAD + 4 * (1 + 64 + 2));
        let read = ActivityChunk::decode(&body).unwrap();
        let of = |chunk: &ActivityChunk| chunk.services().map(|(service, masks)| (service, *masks)).collect::<Vec<_>>();
        assert_eq!(of(&read), of(&chunk).into_iter().filter(|(service, _)| *service != 5).collect::<Vec<_>>());
        assert_eq!(read.services().map(|(service, _)| service).collect::<Vec<_>>(), [2, 7, i32::MAX]);
    }

    #[test]
    fn unknown_bodies_are_refused() {
        let section =
            |service: u8, users: u8| [&[service, 0, 0, 0, users, 0, 0, 0, 0, 0, 0, 0][..], &[1, 0, 0, 0]].concat();
        let body = |sections: &[Vec<u8>]| [vec![VERSION], sections.concat()].concat();
        assert!(ActivityChunk::decode(&body(&[section(1, 1), section(2, 4)])).is_ok());
        for wrong in [
            vec![1, 0],
            vec![VERSION, 0],
            body(&[section(1, 3)]),
            body(&[section(2, 1), section(1, 1)]),
            body(&[section(1, 1), section(1, 1)]),
            [body(&[section(1, 1)]), vec![0]].concat(),
        ] {
            assert!(ActivityChunk::decode(&wrong).is_err(), "{wrong:?}");
        }
    }
}
