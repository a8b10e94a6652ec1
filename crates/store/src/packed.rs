//! Byte strings in one buffer: how lists cross the direct interface between a component and the
//! Reef host (`wit/hub.wit`). One buffer is one copy, where a list of lists is one for each.

use crate::port::Reply;

/// Byte strings, each after its length: four bytes, little-endian.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed(Vec<u8>);

impl Packed {
    /// None yet, with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// What has come from the other side; `None` if it ends within a byte string.
    #[must_use]
    pub fn read(bytes: Vec<u8>) -> Option<Self> {
        let mut items = Items(&bytes);
        items.by_ref().for_each(drop);
        if items.0.is_empty() { Some(Self(bytes)) } else { None }
    }

    /// Appends one. What is longer than 4 GiB, which nothing here can be, is cut.
    pub fn push(&mut self, item: &[u8]) {
        self.push_parts(&[item]);
    }

    /// Appends one that is made of parts.
    pub fn push_parts(&mut self, parts: &[&[u8]]) {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        self.0.reserve(4 + length);
        self.0.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        for part in parts {
            self.0.extend_from_slice(part);
        }
    }

    /// In the order in which they were appended.
    #[must_use]
    pub fn iter(&self) -> Items<'_> {
        Items(&self.0)
    }

    /// The buffer.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl<'a> IntoIterator for &'a Packed {
    type Item = &'a [u8];
    type IntoIter = Items<'a>;

    fn into_iter(self) -> Items<'a> {
        self.iter()
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Packed {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut packed = Self::default();
        items.into_iter().for_each(|item| packed.push(item.as_ref()));
        packed
    }
}

/// The byte strings of a [`Packed`].
#[derive(Debug, Clone)]
pub struct Items<'a>(&'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (item, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(item)
    }
}

/// The first byte of a packed element of a reply says what it is.
const NIL: u8 = 0;
const STATUS: u8 = 1;
const INT: u8 = 2;
const BYTES: u8 = 3;

/// Packs a flat reply: each element is a byte that says what it is, and its value. An integer has
/// eight bytes, little-endian.
#[must_use]
pub fn pack_reply(reply: &[Reply]) -> Packed {
    let size = |element: &Reply| match element {
        Reply::Nil => 5,
        Reply::Int(_) => 13,
        Reply::Status(text) => 5 + text.len(),
        Reply::Bytes(bytes) => 5 + bytes.len(),
    };
    let mut packed = Packed::with_capacity(reply.iter().map(size).sum());
    for element in reply {
        match element {
            Reply::Nil => packed.push(&[NIL]),
            Reply::Status(text) => packed.push_parts(&[&[STATUS], text.as_bytes()]),
            Reply::Int(number) => packed.push_parts(&[&[INT], &number.to_le_bytes()]),
            Reply::Bytes(bytes) => packed.push_parts(&[&[BYTES], bytes]),
        }
    }
    packed
}

/// The flat reply that [`pack_reply`] has packed; `None` if it is none.
#[must_use]
pub fn unpack_reply(packed: Vec<u8>) -> Option<Vec<Reply>> {
    Packed::read(packed)?.iter().map(unpack_element).collect()
}

fn unpack_element(item: &[u8]) -> Option<Reply> {
    let (kind, value) = item.split_first()?;
    Some(match *kind {
        NIL => Reply::Nil,
        STATUS => Reply::Status(std::str::from_utf8(value).ok()?.to_owned()),
        INT => Reply::Int(i64::from_le_bytes(value.try_into().ok()?)),
        BYTES => Reply::Bytes(value.to_vec()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        let items: [&[u8]; 4] = [b"a", b"", b"\0\0\0\0", &[7; 300]];
        let packed: Packed = items.iter().collect();
        assert!(packed.iter().eq(items));
        let bytes = packed.clone().into_bytes();
        assert_eq!(Packed::read(bytes), Some(packed));
    }

    #[test]
    fn a_buffer_that_ends_too_early_is_refused() {
        let bytes = ["one", "two"].iter().collect::<Packed>().into_bytes();
        for length in (0..bytes.len()).filter(|length| ![0, 7].contains(length)) {
            assert_eq!(Packed::read(bytes[..length].to_vec()), None, "{length}");
        }
        assert_eq!(Packed::read(u32::MAX.to_le_bytes().to_vec()), None);
    }

    #[test]
    fn a_reply_comes_out_as_it_went_in() {
        let reply = vec![
            Reply::Nil,
            Reply::Status("OK".into()),
            Reply::Int(i64::MIN),
            Reply::Bytes(vec![]),
            Reply::Bytes(vec![0, 255]),
        ];
        assert_eq!(unpack_reply(pack_reply(&reply).into_bytes()), Some(reply));
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for item in [&[][..], &[9], &[INT, 1], &[STATUS, 0xff]] {
            assert_eq!(unpack_reply([item].iter().collect::<Packed>().into_bytes()), None);
        }
    }
}
