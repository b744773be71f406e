use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const SIZE: usize = 1 << 20;
/// What begins an entry's header in the central directory, and where its fields are (APPNOTE.TXT, 4.3.12).
const CENTRAL: &[u8] = b"PK\x01\x02";
const FLAGS: usize = 8;
const METHOD: usize = 10;
const COMPRESSED: usize = 20;
const EXPANDED: usize = 24;
const NAME: usize = 46;

fn bounds() -> Bounds {
    Bounds {
        upload: 2 * SIZE,
        component: 1000,
        entries: 5,
        path: 30,
        ratio: 20,
        any_ratio: 100,
    }
}

/// An archive of these files, or folders if the name ends in a slash.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    archive_with(SimpleFileOptions::default(), files)
}

fn archive_with(options: SimpleFileOptions, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Writes `value` over a field of the first entry in the central directory.
fn patch(archive: &mut [u8], field: usize, value: &[u8]) {
    let header = memchr::memmem::find(archive, CENTRAL).unwrap();
    archive[header + field..][..value.len()].copy_from_slice(value);
}

fn read_bounded(upload: impl Into<Bytes>) -> Result<Upload, ArchiveError> {
    read(upload.into(), &bounds())
}

/// Why an upload is refused.
fn refusal(upload: impl Into<Bytes>) -> String {
    read_bounded(upload).unwrap_err().to_string()
}

fn component(bytes: &'static [u8]) -> Upload {
    Upload::Component(Bytes::from_static(bytes))
}

/// Bytes that cannot be compressed.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn a_component_is_taken_as_it_is() {
    assert_eq!(read_bounded(&b"\0asm1"[..]).unwrap(), component(b"\0asm1"));
    let mut large = b"\0asm".to_vec();
    large.resize(1000, 0);
    assert!(read_bounded(large.clone()).is_ok());
    large.push(0);
    let expected = "the component has more than 1000 bytes, which is the limit; build it in release mode, and strip it";
    assert_eq!(refusal(large), expected);
}

#[test]
fn what_is_neither_component_nor_archive_is_refused() {
    for upload in ["", "P", "\0as", "#!/bin/sh", "\u{1f}\u{8b}"] {
        let refused = refusal(upload);
        assert!(refused.starts_with("the upload is neither"), "{refused}");
    }
}

#[test]
fn the_one_wasm_file_of_an_archive_is_the_component() {
    let files: [(&str, &[u8]); 4] = [
        ("src/", b""),
        ("src/main.rs", b"fn main() {}"),
        ("__MACOSX/._hello.wasm", b"attributes"),
        ("target/hello.wasm", b"\0asm1"),
    ];
    let methods = [CompressionMethod::Stored, CompressionMethod::Deflated];
    for method in methods {
        let options = SimpleFileOptions::default().compression_method(method);
        let upload = archive_with(options, &files);
        assert_eq!(read_bounded(upload).unwrap(), component(b"\0asm1"));
    }
    // Entries that have room for large sizes are no large archive.
    let options = SimpleFileOptions::default().large_file(true);
    let upload = archive_with(options, &files);
    assert_eq!(read_bounded(upload).unwrap(), component(b"\0asm1"));
}

#[test]
fn several_wasm_files_are_listed() {
    let expected = "the archive has several WebAssembly files: a.wasm, c.wasm; leave the one that is to be deployed";
    let upload = archive(&[("a.wasm", b"\0asm"), ("c.wasm", b"\0asm")]);
    assert_eq!(refusal(upload), expected);
    let listed = ArchiveError::SeveralComponents(vec!["a".into(); 12]).to_string();
    assert!(listed.contains("a, a and 2 more;"), "{listed}");
}

#[test]
fn without_a_wasm_file_all_files_are_the_source() {
    let upload = archive(&[("b/", b""), ("b/main.py", b"one"), ("a.txt", b"")]);
    let expected = vec!["b/main.py".into(), "a.txt".into()];
    assert_eq!(read_bounded(upload).unwrap(), Upload::Source(expected));
    for empty in [archive(&[]), archive(&[("a/", b"")])] {
        let expected = "the archive has no files; expected a .wasm file, or source files";
        assert_eq!(refusal(empty), expected);
    }
}

#[test]
fn a_wasm_file_at_the_root_is_before_others_and_source_code_before_those() {
    let upload = archive(&[("b/c.wasm", b"\0asm2"), ("a.wasm", b"\0asm1")]);
    assert_eq!(read_bounded(upload).unwrap(), component(b"\0asm1"));
    let upload = archive(&[("main.py", b""), ("a.wasm", b"\0asm1")]);
    assert_eq!(read_bounded(upload).unwrap(), component(b"\0asm1"));
    for source in ["main.py", "requirements.txt", "package.json", "Cargo.toml"] {
        let upload = archive(&[(source, b""), ("b/c.wasm", b"\0asm"), ("d.wasm/e", b"")]);
        let expected = vec![source.into(), "b/c.wasm".into(), "d.wasm/e".into()];
        assert_eq!(read_bounded(upload).unwrap(), Upload::Source(expected));
    }
}

#[test]
fn source_files_are_not_expanded() {
    let upload = archive(&[("main.py", &[0; SIZE]), ("b", &noise(1001))]);
    let expected = vec!["main.py".into(), "b".into()];
    assert_eq!(read_bounded(upload).unwrap(), Upload::Source(expected));
}

#[test]
fn an_upload_has_a_bounded_size() {
    let mut upload = b"PK".to_vec();
    upload.resize(2 * SIZE + 1, 0);
    let refused = refusal(upload);
    assert!(
        refused.starts_with("the upload has more than 2097152 bytes"),
        "{refused}"
    );
}

#[test]
fn a_component_in_an_archive_has_a_bounded_size() {
    assert!(read_bounded(archive(&[("a.wasm", &noise(1000))])).is_ok());
    let refused = refusal(archive(&[("a.wasm", &noise(1001))]));
    assert!(
        refused.starts_with("the component has more than 1000 bytes"),
        "{refused}"
    );
}

#[test]
fn a_file_expands_no_further_than_its_compressed_size_allows() {
    // To 11 bytes at least, which allow for 220.
    let upload = archive(&[("a.wasm", &[0; 900])]);
    let expected = "the file `a.wasm` expands to more than 20 times its compressed size, which is the limit; store it \
                    without compression, or leave it out";
    assert_eq!(refusal(upload), expected);
    assert!(read_bounded(archive(&[("a.wasm", &[0; 100])])).is_ok());
}

#[test]
fn a_size_that_an_archive_declares_is_not_believed() {
    for declared in [0_u32, 10, 899, 901, u32::MAX - 1] {
        let mut upload = archive(&[("a.wasm", &noise(900))]);
        patch(&mut upload, EXPANDED, &declared.to_le_bytes());
        match read_bounded(upload) {
            Ok(Upload::Component(wasm)) => assert_eq!(wasm, noise(900)),
            other => assert!(other.is_err(), "{declared}: {other:?}"),
        }
    }
}

#[test]
fn entries_that_overlap_are_refused() {
    let mut upload = archive(&[("a", b"one"), ("b", b"two")]);
    let size = upload.len() as u32;
    patch(&mut upload, COMPRESSED, &size.to_le_bytes());
    assert!(refusal(upload).starts_with("entries of the archive overlap"));
}

#[test]
fn an_archive_has_a_bounded_number_of_entries() {
    let files = ["a", "b", "c", "d", "e", "f"].map(|name| (name, &b""[..]));
    assert!(read_bounded(archive(&files[..5])).is_ok());
    let expected =
        "the archive has 6 files and folders; the limit is 5; leave out what is not needed";
    assert_eq!(refusal(archive(&files)), expected);
    // 20 bytes before the end, where the number of entries would have 64 bits.
    let mut upload = archive(&files[..1]);
    let end = upload.len() - 22;
    upload.splice(end..end, *b"PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert!(refusal(upload).starts_with("the archive is in the format Zip64"));
}

#[test]
fn a_path_that_leaves_the_folder_is_refused() {
    for bad in ["../a", "/a/b", "a\\bc", "C:ab", "a\0bc", "a//b"] {
        let mut upload = archive(&[("abcd", b"1")]);
        patch(&mut upload, NAME, &bad.as_bytes()[..4]);
        let refused = read_bounded(upload).unwrap_err();
        assert!(matches!(refused, ArchiveError::Path(_)), "{bad}: {refused}");
    }
    let refused = refusal(archive(&[(&"a".repeat(31), b"1")]));
    assert!(
        refused.contains("a path in the archive has 31 bytes; the limit is 30"),
        "{refused}"
    );
}

#[test]
fn two_files_of_one_path_are_refused() {
    for (other, same) in [("b", "a"), ("b/", "a/")] {
        let mut upload = archive(&[(other, b""), ("a", b"")]);
        patch(&mut upload, NAME, same.as_bytes());
        assert!(refusal(upload).contains("two files of the same path"));
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    writer.add_symlink("a", "/etc/passwd", options).unwrap();
    let upload = writer.finish().unwrap().into_inner();
    let expected =
        "`a` in the archive is a symbolic link or a special file; put the file itself in its place";
    assert_eq!(refusal(upload), expected);
}

#[test]
fn an_encrypted_file_is_refused() {
    let mut upload = archive(&[("a", b"1")]);
    patch(&mut upload, FLAGS, &[1]);
    let expected = "the file `a` in the archive is encrypted; make the archive without a password";
    assert_eq!(refusal(upload), expected);
}

#[test]
fn a_file_that_is_compressed_otherwise_is_refused() {
    // Deflate64, bzip2, LZMA, Zstandard, and one that there is not.
    for method in [9_u16, 12, 14, 93, 1000] {
        let mut upload = archive(&[("a", b"1")]);
        patch(&mut upload, METHOD, &method.to_le_bytes());
        let refused = refusal(upload);
        assert!(
            refused.contains("expected Deflate, or no compression"),
            "{refused}"
        );
    }
}

#[test]
fn an_archive_that_is_cut_off_or_damaged_is_refused() {
    let upload = archive(&[("a.wasm", b"some text"), ("b/c", b"other text")]);
    for length in 2..upload.len() {
        let refused = refusal(upload[..length].to_vec());
        assert!(
            refused.starts_with("the zip archive cannot be read"),
            "{refused}"
        );
    }
    let mut changed = upload.clone();
    let name = memchr::memmem::find(&changed, b"a.wasm").unwrap();
    let text = name + "a.wasm".len() + 2;
    changed[text] ^= 1;
    let refused = refusal(changed);
    assert!(
        refused.starts_with("the file `a.wasm` in the archive cannot be expanded"),
        "{refused}"
    );
}
