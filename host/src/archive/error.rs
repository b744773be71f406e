use zip::result::ZipError;

/// How many files a message names.
const NAMED: usize = 10;

/// Why an upload cannot be deployed. The words are for who uploaded it; names in them are escaped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Neither of the two formats.
    #[error(
        "the upload is neither a WebAssembly component nor a zip archive; upload a .wasm file, or a zip archive of a \
         folder that holds one"
    )]
    UnknownFormat,
    /// More bytes than may be uploaded.
    #[error(
        "the upload has more than {0} bytes, which is the limit; leave out files that are not needed"
    )]
    UploadTooLarge(usize),
    /// More bytes than a component may have.
    #[error(
        "the component has more than {0} bytes, which is the limit; build it in release mode, and strip it"
    )]
    ComponentTooLarge(u64),
    /// A file expands to far more than it is compressed to.
    #[error(
        "the file `{path}` expands to more than {ratio} times its compressed size, which is the limit; store it \
         without compression, or leave it out"
    )]
    Ratio {
        /// The file.
        path: String,
        /// The limit.
        ratio: u64,
    },
    /// More entries than there may be.
    #[error(
        "the archive has {found} files and folders; the limit is {limit}; leave out what is not needed"
    )]
    TooManyEntries {
        /// How many it declares.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Entries have more bytes together than the archive, so some of them share bytes.
    #[error(
        "entries of the archive overlap, which makes it expand without bounds; make it again with another program"
    )]
    Overlap,
    /// A path is longer than it may be.
    #[error("a path in the archive has {found} bytes; the limit is {limit}; give it a shorter one")]
    LongPath {
        /// Its length.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A path is none within a folder.
    #[error("the archive has a file `{0}`; expected a path within the folder, such as src/main.py")]
    Path(String),
    /// Two files have the same path.
    #[error("the archive has two files of the same path; make it again, with each file once")]
    Duplicate,
    /// The archive is in a format for more entries and bytes than there may be.
    #[error(
        "the archive is in the format Zip64, for more than 65,535 files or 4 GiB; make it of fewer files, without Zip64"
    )]
    Zip64,
    /// Neither a file nor a folder.
    #[error(
        "`{0}` in the archive is a symbolic link or a special file; put the file itself in its place"
    )]
    SpecialFile(String),
    /// A file is encrypted.
    #[error("the file `{0}` in the archive is encrypted; make the archive without a password")]
    Encrypted(String),
    /// A file is compressed with another method than Deflate.
    #[error(
        "the file `{0}` in the archive is compressed with a method that this host does not know; expected Deflate, or \
         no compression"
    )]
    Compression(String),
    /// Several WebAssembly files.
    #[error(
        "the archive has several WebAssembly files: {}; leave the one that is to be deployed",
        listed(_0)
    )]
    SeveralComponents(Vec<String>),
    /// No file at all.
    #[error("the archive has no files; expected a .wasm file, or source files")]
    Empty,
    /// The archive is not whole, or of a kind that is not read.
    #[error("the zip archive cannot be read: {0}; make it again, and upload all of it")]
    Damaged(#[from] ZipError),
    /// A file in the archive is not whole.
    #[error(
        "the file `{path}` in the archive cannot be expanded: {error}; make the archive again, and upload all of it"
    )]
    DamagedFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: std::io::Error,
    },
}

/// The first of `paths`, and how many more there are.
fn listed(paths: &[String]) -> String {
    let named: Vec<_> = paths.iter().take(NAMED).map(String::as_str).collect();
    match paths.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
