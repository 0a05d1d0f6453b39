//! From the bytes of a file to its text: what is packed by gzip is unpacked, UTF-16 becomes UTF-8, a byte order mark goes, and
//! lines that end with a carriage return alone end with a line feed.
//!
//! Both the recogniser and the readers look at a file through this, so that they never disagree.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};
use flate2::bufread::MultiGzDecoder;

use crate::reader::ReadError;
use crate::text::answers;

/// How much of a file is looked at before it is read.
const LOOKED_AT: usize = 1 << 20;
/// How often something may be packed.
const PACKED: usize = 3;
/// What something packed may grow to in any case, in bytes, and beyond that: how many times its packed size.
const SMALL: u64 = 64 << 20;
const GROWTH: u64 = 250;
const GZIP: &[u8] = b"\x1f\x8b";
pub(crate) const BROKEN: &str = "what is packed in the file is damaged, or was not downloaded whole: download it again";
const MARK: &[u8] = b"\xef\xbb\xbf";
/// The mark as UTF-8, read as windows-1252 and saved as UTF-8 once more.
const GARBLED_MARK: &[u8] = "ï»¿".as_bytes();

/// A file as text, or as the bytes it is where it is Parquet or an archive.
pub(crate) struct OpenedText<'a> {
    /// Its beginning.
    pub(crate) start: Vec<u8>,
    /// Whether there is more than the beginning.
    pub(crate) goes_on: bool,
    rest: Box<dyn BufRead + 'a>,
}

impl<'a> OpenedText<'a> {
    /// Looks at a file. What cannot be read is refused in words that say what it is and what to do.
    pub(crate) fn new(input: &'a mut dyn BufRead) -> Result<Self, ReadError> {
        let mut input: Box<dyn BufRead + 'a> = Box::new(input);
        for _ in 0..PACKED {
            let start = beginning(&mut *input)?;
            let packed = start.starts_with(GZIP);
            input = Box::new(Cursor::new(start).chain(input));
            if !packed {
                break;
            }
            input = Box::new(BufReader::new(Unpacked::gzip(input)));
        }
        let start = beginning(&mut *input)?;
        if start.starts_with(GZIP) {
            return Err(ReadError::Refused(format!("it is packed more than {PACKED} times: unpack it first")));
        }
        if is_binary(&start) {
            return Ok(Self { goes_on: start.len() == LOOKED_AT, start, rest: input });
        }
        let encoding = TextEncoding::of(&start)?;
        let mut text = encoding.decoded(Box::new(Cursor::new(start).chain(input)))?;
        // A program that adds a mark looks for none.
        while text.fill_buf()?.starts_with(MARK) {
            text.consume(MARK.len());
        }
        let mut start = beginning(&mut *text)?;
        if encoding.is_utf_8() {
            refuse_other_encoding(&start)?;
        }
        if ends_lines_with_carriage_returns(&start) {
            text = Box::new(BufReader::new(LineFeeds::new(Box::new(Cursor::new(start).chain(text)))));
            start = beginning(&mut *text)?;
        }
        Ok(Self { goes_on: start.len() == LOOKED_AT, start, rest: text })
    }

    /// The whole text.
    pub(crate) fn into_reader(self) -> impl BufRead + 'a {
        Cursor::new(self.start).chain(self.rest)
    }
}

/// What is read as the bytes it is.
fn is_binary(start: &[u8]) -> bool {
    answers::of_bytes(start).is_some()
        || start.starts_with(b"PAR1")
        || start.starts_with(b"PK\x03\x04")
        || start.starts_with(b"PK\x05\x06")
}

fn beginning(input: &mut dyn BufRead) -> Result<Vec<u8>, ReadError> {
    let mut start = Vec::new();
    input.take(LOOKED_AT as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// How the bytes of a text are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextEncoding {
    Utf8,
    /// UTF-8 that was read as windows-1252 and saved as UTF-8 once more.
    Garbled,
    Utf16(&'static encoding_rs::Encoding),
}

impl TextEncoding {
    fn of(start: &[u8]) -> Result<Self, ReadError> {
        if start.starts_with(b"\xff\xfe\0\0") || start.starts_with(b"\0\0\xfe\xff") || is_utf_32(start) {
            return Err(ReadError::Refused("the text is UTF-32: save it as UTF-8".into()));
        }
        if start.starts_with(b"\xff\xfe") {
            return Ok(Self::Utf16(UTF_16LE));
        }
        if start.starts_with(b"\xfe\xff") {
            return Ok(Self::Utf16(UTF_16BE));
        }
        if start.starts_with(GARBLED_MARK) {
            return Ok(Self::Garbled);
        }
        // Of UTF-16 without a mark every other byte is zero, for names of columns and members are ASCII.
        let pairs = &start[..start.len().min(512) & !1];
        let zeros = |first: usize| pairs.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
        let (even, odd, few) = (zeros(0), zeros(1), pairs.len() / 2 / 10);
        Ok(match pairs.len() {
            0..4 => Self::Utf8,
            _ if odd >= pairs.len() / 2 - few && even <= few => Self::Utf16(UTF_16LE),
            _ if even >= pairs.len() / 2 - few && odd <= few => Self::Utf16(UTF_16BE),
            _ => Self::Utf8,
        })
    }

    fn is_utf_8(self) -> bool {
        self == Self::Utf8
    }

    /// The text as UTF-8 without a mark.
    fn decoded(self, mut input: Box<dyn BufRead + '_>) -> Result<Box<dyn BufRead + '_>, ReadError> {
        Ok(match self {
            Self::Utf8 => input,
            Self::Garbled => {
                input.consume(GARBLED_MARK.len());
                Box::new(BufReader::new(Ungarbled { input, line: Cursor::default() }))
            }
            // The decoder takes the mark away.
            Self::Utf16(encoding) => Box::new(BufReader::new(Decoded {
                input,
                decoder: encoding.new_decoder_with_bom_removal(),
                text: Cursor::default(),
                ended: false,
            })),
        })
    }
}

/// Whether of every four bytes three are zero, on one and the same side.
fn is_utf_32(start: &[u8]) -> bool {
    let letters = || start.chunks_exact(4).take(128);
    let every = |zeros: std::ops::Range<usize>, letter: usize| {
        letters().all(|bytes| bytes[zeros.clone()].iter().all(|byte| *byte == 0) && bytes[letter] != 0)
    };
    letters().len() > 1 && (every(1..4, 0) || every(0..3, 3))
}

/// Refuses a text whose bytes beyond ASCII are those of another encoding. A damaged row of UTF-8 costs its row alone.
fn refuse_other_encoding(start: &[u8]) -> Result<(), ReadError> {
    let (mut rest, mut letters, mut strange) = (start, 0, 0);
    loop {
        let (valid, next) = match std::str::from_utf8(rest) {
            Ok(text) => (text, &[][..]),
            // A letter may be cut off at the end of what is looked at.
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to());
                strange += usize::from(error.error_len().is_some());
                let next = error.error_len().map_or(&[][..], |length| &after[length..]);
                (std::str::from_utf8(valid).unwrap_or_default(), next)
            }
        };
        letters += valid.chars().filter(|letter| !letter.is_ascii()).count();
        if next.is_empty() {
            break;
        }
        rest = next;
    }
    if strange == 0 || strange <= letters || start.contains(&0) {
        return Ok(());
    }
    Err(ReadError::Refused(
        "the text is not UTF-8 but, by all appearance, windows-1252, which Excel writes as \"CSV\": save it as \"CSV UTF-8\" \
         instead, or convert it (iconv -f windows-1252 -t utf-8)"
            .into(),
    ))
}

/// Whether the first line ends with a carriage return that no line feed follows, or most lines do, as where rows were put below a
/// header of another program.
fn ends_lines_with_carriage_returns(start: &[u8]) -> bool {
    // Between quotes a line may be broken in another way; in JSON it cannot.
    let quotes = !matches!(start.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['));
    let mut quoted = false;
    let (mut first, mut returns, mut feeds) = (None, 0_usize, 0_usize);
    let mut rest = start;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        quoted ^= quotes && *byte == b'"';
        if quoted || !matches!(byte, b'\r' | b'\n') {
            continue;
        }
        let next = after.iter().position(|byte| *byte != b'\r').unwrap_or(after.len());
        let lone = *byte == b'\r' && after.get(next) != Some(&b'\n');
        first.get_or_insert(lone);
        if !quotes {
            break;
        }
        if lone {
            returns += 1;
            rest = &after[next..];
        } else {
            feeds += 1;
            // The line feed is of the same end.
            rest = if *byte == b'\r' { &after[next + 1..] } else { after };
        }
    }
    first.unwrap_or(false) || quotes && returns > feeds
}

/// Ends lines with line feeds.
struct LineFeeds<'a> {
    input: Box<dyn BufRead + 'a>,
    after_return: bool,
}

impl<'a> LineFeeds<'a> {
    fn new(input: Box<dyn BufRead + 'a>) -> Self {
        Self { input, after_return: false }
    }
}

impl Read for LineFeeds<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let bytes = self.input.fill_buf()?;
            let (mut taken, mut given) = (0, 0);
            for &byte in bytes.iter().take(buffer.len()) {
                taken += 1;
                let second_half = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if !second_half {
                    buffer[given] = if byte == b'\r' { b'\n' } else { byte };
                    given += 1;
                }
            }
            self.input.consume(taken);
            if given > 0 || taken == 0 {
                return Ok(given);
            }
        }
    }
}

/// UTF-16 as UTF-8.
struct Decoded<'a> {
    input: Box<dyn BufRead + 'a>,
    decoder: Decoder,
    text: Cursor<Vec<u8>>,
    ended: bool,
}

impl Read for Decoded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.text.read(buffer)?;
            if count > 0 || self.ended || buffer.is_empty() {
                return Ok(count);
            }
            let bytes = self.input.fill_buf()?;
            let last = bytes.is_empty();
            let mut text = String::with_capacity(bytes.len() * 3 + 16);
            let (_, read, _) = self.decoder.decode_to_string(bytes, &mut text, last);
            self.input.consume(read);
            self.ended = last;
            self.text = Cursor::new(text.into_bytes());
        }
    }
}

/// Undoes, line by line, what reading UTF-8 as windows-1252 did.
struct Ungarbled<'a> {
    input: Box<dyn BufRead + 'a>,
    line: Cursor<Vec<u8>>,
}

impl Read for Ungarbled<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.line.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        let mut line = Vec::new();
        (&mut self.input).take(LOOKED_AT as u64).read_until(b'\n', &mut line)?;
        self.line = Cursor::new(ungarbled(line));
        self.line.read(buffer)
    }
}

fn ungarbled(line: Vec<u8>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&line) else { return line };
    let (bytes, _, strange) = WINDOWS_1252.encode(text);
    if strange || std::str::from_utf8(&bytes).is_err() { line } else { bytes.into_owned() }
}

/// Something packed, as it was before; a bomb is no such thing.
pub(crate) struct Unpacked<R> {
    inner: R,
    /// How many bytes there are packed, as far as is known.
    packed: fn(&R) -> u64,
    size: u64,
    given: u64,
}

impl<R: BufRead> Unpacked<MultiGzDecoder<Counting<R>>> {
    /// What is packed by gzip.
    pub(crate) fn gzip(input: R) -> Self {
        let inner = MultiGzDecoder::new(Counting { inner: input, count: 0 });
        Self { inner, packed: |inner| inner.get_ref().count, size: 0, given: 0 }
    }
}

impl<R> Unpacked<R> {
    /// What is packed in another way, of a packed size that is known.
    pub(crate) fn of_size(inner: R, size: u64) -> Self {
        Self { inner, packed: |_| 0, size, given: 0 }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                io::Error::new(io::ErrorKind::InvalidData, BROKEN)
            }
            _ => error,
        })?;
        self.given += count as u64;
        if self.given > SMALL && self.given / GROWTH > self.size.max((self.packed)(&self.inner)) {
            return Err(io::Error::other(format!(
                "unpacked it is more than {GROWTH} times as large as packed, as no report is: if it is right, unpack it with \
                 another program and import what is in it"
            )));
        }
        Ok(count)
    }
}

/// Counts what is read.
pub(crate) struct Counting<R> {
    inner: R,
    count: u64,
}

impl<R: BufRead> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counting<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.count += count as u64;
        self.inner.consume(count);
    }
}
