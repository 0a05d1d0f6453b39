//! Files within files: a zip of reports, the sheets of a workbook.
//!
//! What is packed by gzip needs no place of its own here: it is unpacked wherever a file is read. An archive must be read from
//! its end, so whoever has one opens it as a [`PackedFile`], whose members are then read one by one as files.

mod workbook;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom},
};

use zip::ZipArchive;

use crate::reader::ReadError;
use crate::text::encoding::{BROKEN, Unpacked};

/// Files in an archive; more are none of a partner's reports.
const MEMBERS: usize = 10_000;
/// Archives within archives.
const DEPTH: usize = 3;
/// An archive within an archive is laid down up to this size, in bytes.
const LAID_DOWN: u64 = 4 << 30;
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// A file that can be read from any place.
pub trait PackedFile: io::Read + io::Seek {}

impl<T: io::Read + io::Seek> PackedFile for T {}

/// A file within a file, or the file itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    steps: Vec<PackingStep>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PackingStep {
    /// What an archive is packed in itself.
    Gzip,
    /// A file of a zip.
    Entry(String),
    /// A sheet of a workbook, and whether there are others.
    Sheet(String, bool),
}

impl Member {
    /// Its place within the file; none: it is the file itself.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let names = self.steps.iter().filter_map(|step| match step {
            PackingStep::Gzip | PackingStep::Sheet(_, false) => None,
            PackingStep::Entry(name) => Some(name.clone()),
            PackingStep::Sheet(name, true) => Some(format!("sheet {name}")),
        });
        Some(names.collect::<Vec<_>>().join("/")).filter(|name| !name.is_empty())
    }

    /// Its own name, which may say what is in it.
    #[must_use]
    pub fn own_name(&self) -> Option<&str> {
        match self.steps.last() {
            Some(PackingStep::Entry(name) | PackingStep::Sheet(name, true)) => Some(name),
            Some(PackingStep::Sheet(_, false) | PackingStep::Gzip) | None => None,
        }
    }

    fn with(&self, step: PackingStep) -> Self {
        Self { steps: [&self.steps[..], &[step]].concat() }
    }
}

/// The files in a file: the members of a zip, the sheets of a workbook, or the file alone; of a document of another program, none.
pub fn members(file: &mut dyn PackedFile) -> Result<Vec<Member>, ReadError> {
    let mut found = Vec::new();
    add_members(file, &Member::default(), &mut found)?;
    Ok(found)
}

fn add_members(file: &mut dyn PackedFile, place: &Member, found: &mut Vec<Member>) -> Result<(), ReadError> {
    let start = start(file)?;
    if start.starts_with(b"\x1f\x8b") && is_archive(&unpacked_start(file)?) {
        let mut laid = lay_down(&mut BufReader::new(Unpacked::gzip(BufReader::new(file))))?;
        return add_members(&mut laid, &place.with(PackingStep::Gzip), found);
    }
    if !is_archive(&start) {
        found.push(place.clone());
        return Ok(());
    }
    if place.steps.len() >= DEPTH {
        return Err(refused("it is an archive within archives within archives: unpack it first"));
    }
    let mut archive = open(file)?;
    let names = names(&archive)?;
    let has = |name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name));
    if has("xl/workbook.xml") {
        let sheets = workbook::sheets(archive)?;
        let several = sheets.len() > 1;
        found.extend(sheets.into_iter().map(|name| place.with(PackingStep::Sheet(name, several))));
        return Ok(());
    }
    if has("word/document.xml") || has("ppt/presentation.xml") {
        return Ok(());
    }
    if let Some(kind) = other_workbook(&has) {
        return Err(refused(kind));
    }
    for name in names.into_iter().filter(|name| is_file(name)) {
        if found.len() >= MEMBERS {
            return Err(refused(&format!("it has more than {MEMBERS} files: unpack it and import its folders")));
        }
        let mut entry = archive.by_name(&name).map_err(|error| of_zip(&error))?;
        let mut start = Vec::new();
        (&mut entry).take(4).read_to_end(&mut start).map_err(|_| refused(BROKEN))?;
        drop(entry);
        let member = place.with(PackingStep::Entry(name.clone()));
        if is_archive(&start) {
            let mut laid = lay_down_entry(&mut archive, &name)?;
            add_members(&mut laid, &member, found)?;
        } else {
            found.push(member);
        }
    }
    Ok(())
}

/// Gives a member of a file to `take`, as a file that is read from its beginning.
pub fn with_member<T>(
    file: &mut dyn PackedFile,
    member: &Member,
    take: impl FnOnce(&mut dyn BufRead) -> T,
) -> Result<T, ReadError> {
    let mut take = Some(take);
    let mut taken = None;
    walk(file, &member.steps, &mut |input| taken = take.take().map(|take| take(input)))?;
    taken.ok_or_else(|| refused(BROKEN))
}

fn walk(
    file: &mut dyn PackedFile,
    steps: &[PackingStep],
    take: &mut dyn FnMut(&mut dyn BufRead),
) -> Result<(), ReadError> {
    file.rewind()?;
    match steps {
        [] => take(&mut BufReader::with_capacity(1 << 18, file)),
        [PackingStep::Gzip, rest @ ..] => {
            let mut laid = lay_down(&mut BufReader::new(Unpacked::gzip(BufReader::new(file))))?;
            walk(&mut laid, rest, take)?;
        }
        [PackingStep::Sheet(name, _), ..] => workbook::with_sheet(BufReader::new(file), name, take)?,
        [PackingStep::Entry(name)] => {
            let mut archive = open(file)?;
            let entry = archive.by_name(name).map_err(|error| of_zip(&error))?;
            let size = entry.compressed_size();
            take(&mut BufReader::with_capacity(1 << 18, Unpacked::of_size(entry, size)));
        }
        [PackingStep::Entry(name), rest @ ..] => {
            let mut laid = lay_down_entry(&mut open(file)?, name)?;
            walk(&mut laid, rest, take)?;
        }
    }
    Ok(())
}

fn open(file: &mut dyn PackedFile) -> Result<ZipArchive<BufReader<&mut dyn PackedFile>>, ReadError> {
    ZipArchive::new(BufReader::new(file)).map_err(|error| of_zip(&error))
}

fn names<R: io::Read + io::Seek>(archive: &ZipArchive<R>) -> Result<Vec<String>, ReadError> {
    archive.file_names().map(|name| name.map(|name| name.into_owned()).map_err(|error| of_zip(&error))).collect()
}

fn start(file: &mut dyn PackedFile) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let mut start = Vec::new();
    (&mut *file).take(4).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(start)
}

/// The beginning of what is packed; empty where it cannot be unpacked, which its reader will say.
fn unpacked_start(file: &mut dyn PackedFile) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    let _ = Unpacked::gzip(BufReader::new(&mut *file)).take(4).read_to_end(&mut start);
    file.rewind()?;
    Ok(start)
}

fn is_archive(start: &[u8]) -> bool {
    ZIP.iter().any(|mark| start.starts_with(mark))
}

/// Neither a folder nor what programs leave behind.
fn is_file(name: &str) -> bool {
    !name.ends_with(['/', '\\']) && !name.split(['/', '\\']).any(is_left_behind)
}

/// Whether a file or folder of this name is one that systems and programs leave behind: hidden, a picture of a folder's content, the
/// lock of an open workbook.
#[must_use]
pub fn is_left_behind(name: &str) -> bool {
    const NAMES: [&str; 6] =
        ["__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"];
    name.starts_with('.') || name.starts_with("~$") || NAMES.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// What an archive is where a workbook in another form lies in it.
fn other_workbook(has: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    let kinds = [
        ("xl/workbook.bin", "it is a binary workbook (.xlsb): save it as .xlsx, or as \"CSV UTF-8\""),
        ("content.xml", "it is a document of OpenOffice or LibreOffice: save the sheet as .xlsx, or as CSV in UTF-8"),
    ];
    kinds.into_iter().find(|(name, _)| has(name)).map(|(_, kind)| kind)
}

fn lay_down_entry<R: io::Read + io::Seek>(archive: &mut ZipArchive<R>, name: &str) -> Result<File, ReadError> {
    let entry = archive.by_name(name).map_err(|error| of_zip(&error))?;
    let size = entry.compressed_size();
    lay_down(&mut Unpacked::of_size(entry, size))
}

/// A file of its own that nobody else sees and that goes with this process.
fn lay_down(input: &mut dyn io::Read) -> Result<File, ReadError> {
    let mut file = tempfile::tempfile()?;
    if io::copy(&mut input.take(LAID_DOWN), &mut file)? == LAID_DOWN {
        return Err(refused(&format!(
            "it is an archive of more than {} GiB within another: unpack it first",
            LAID_DOWN >> 30
        )));
    }
    file.rewind()?;
    Ok(file)
}

fn refused(reason: &str) -> ReadError {
    ReadError::Refused(reason.to_owned())
}

/// What is wrong with an archive.
fn of_zip(error: &zip::result::ZipError) -> ReadError {
    let text = error.to_string();
    if text.to_lowercase().contains("password") {
        return refused("it is locked by a password: unpack it and import what is in it");
    }
    match error {
        zip::result::ZipError::UnsupportedArchive(_) | zip::result::ZipError::CompressionMethodNotSupported(_) => {
            refused(&format!(
                "it is packed in a way that is not known here ({text}): unpack it and import what is in it"
            ))
        }
        _ => refused(BROKEN),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn all(bytes: &[u8]) -> Result<Vec<(Option<String>, String)>, String> {
        let mut file = Cursor::new(bytes);
        let found = members(&mut file).map_err(|error| error.to_string())?;
        found
            .iter()
            .map(|member| {
                let mut text = String::new();
                let read = with_member(&mut file, member, |input| input.read_to_string(&mut text));
                read.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
                Ok((member.name(), text))
            })
            .collect()
    }

    #[test]
    fn a_file_is_its_own_only_member_and_a_zip_has_its_files() {
        let named = |name: &str, text: &str| (Some(name.to_owned()), text.to_owned());
        assert_eq!(all(b"plain"), Ok(vec![(None, "plain".into())]));
        let inner = zipped(&[("b.csv", b"two")]);
        let zip = zipped(&[
            ("a.csv", b"one"),
            ("x/", b""),
            ("__MACOSX/._a", b"-"),
            ("x/Thumbs.db", b"\xd0\xcf\x11\xe0"),
            ("x/~$a.xlsx", b"me"),
            ("x/inner.zip", &inner),
        ]);
        let expected = vec![named("a.csv", "one"), named("x/inner.zip/b.csv", "two")];
        assert_eq!(all(&zip), Ok(expected.clone()));
        assert_eq!(all(&gzipped(&zip)), Ok(expected));
        assert_eq!(all(&zipped(&[])), Ok(Vec::new()));
    }

    #[test]
    fn what_cannot_be_unpacked_is_said() {
        let zip = zipped(&[("a.csv", &b"one two three ".repeat(100))]);
        assert!(all(&zip[..zip.len() / 2]).unwrap_err().contains("not downloaded whole"));
        assert_eq!(all(&zipped(&[("word/document.xml", b"")])), Ok(Vec::new()), "a document is no report");
        assert!(all(&zipped(&[("xl/workbook.bin", b"")])).unwrap_err().contains(".xlsx"));
        let mut deep = b"x".to_vec();
        (0..=DEPTH).for_each(|_| deep = zipped(&[("a.zip", &deep)]));
        assert!(all(&deep).unwrap_err().contains("archives within archives"));
        let bomb = zipped(&[("a.csv", &vec![b'a'; 80 << 20])]);
        assert!(all(&bomb).unwrap_err().contains("250 times"));
    }
}
