//! What is kept, and what of it is loaded.

use tempfile::TempDir;

use super::*;

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
/// Any will do.
const DIGEST_OF_IT: [u8; 32] = [1; 32];

struct Scratch {
    /// Of the cache, which creates it.
    directory: PathBuf,
    engine: Engine,
    /// Holds the directory. Removed at the end of the test.
    _parent: TempDir,
}

impl Scratch {
    fn new() -> Self {
        let parent = TempDir::new().unwrap();
        Self {
            directory: parent.path().join("cache"),
            engine: Engine::default(),
            _parent: parent,
        }
    }

    /// Keeps `COMPONENT` in `cache`.
    fn fill(&self, cache: &CompileCache) {
        let compiled = self.engine.precompile_component(COMPONENT).unwrap();
        let mut entry = cache.entry(&self.engine, &DIGEST_OF_IT).unwrap();
        entry.write(&compiled).unwrap();
        entry.keep().unwrap();
    }

    /// A cache that holds `COMPONENT`, and the one file in it.
    fn filled(&self) -> (CompileCache, PathBuf) {
        let cache = CompileCache::open(&self.directory).unwrap();
        self.fill(&cache);
        let file = fs::read_dir(&self.directory)
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        (cache, file.path())
    }
}

#[test]
fn what_was_stored_is_loaded() {
    let scratch = Scratch::new();
    let (cache, _) = scratch.filled();
    assert!(cache.load(&scratch.engine, &DIGEST_OF_IT).is_some());
}

#[test]
fn the_path_of_an_open_file_leads_to_it_whatever_has_its_name() {
    let scratch = Scratch::new();
    let (_, path) = scratch.filled();
    let sound = fs::read(&path).unwrap();
    let file = open_sound(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "another").unwrap();
    assert_eq!(fs::read(path_of(&file)).unwrap(), sound);
    let compiled = read_sound(file).unwrap();
    assert!(sound.starts_with(&compiled) && sound.len() == compiled.len() + TRAILER);
}

#[test]
fn another_component_or_engine_finds_nothing() {
    let scratch = Scratch::new();
    let (cache, _) = scratch.filled();
    assert!(cache.load(&scratch.engine, &[2; 32]).is_none());
    let other = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
    assert!(cache.load(&other, &DIGEST_OF_IT).is_none());
}

#[test]
fn a_directory_that_its_group_could_change_is_taken_back_and_emptied() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let (_, path) = scratch.filled();
    let open = |mode| fs::set_permissions(&scratch.directory, fs::Permissions::from_mode(mode));
    // As a kubelet does it for fsGroup.
    open(0o2770).unwrap();
    let cache = CompileCache::open(&scratch.directory).unwrap();
    assert!(!path.exists());
    let mode = fs::metadata(&scratch.directory)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    scratch.fill(&cache);
    assert!(cache.load(&scratch.engine, &DIGEST_OF_IT).is_some());
    open(0o775).unwrap();
    assert!(CompileCache::open(&scratch.directory).is_err());
}

#[test]
fn each_damaged_byte_and_each_cut_is_noticed() {
    let scratch = Scratch::new();
    let (cache, path) = scratch.filled();
    let sound = fs::read(&path).unwrap();
    for at in [
        0,
        100,
        sound.len() - TRAILER,
        sound.len() - DIGEST,
        sound.len() - 1,
    ] {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert!(
            cache.load(&scratch.engine, &DIGEST_OF_IT).is_none(),
            "byte {at}"
        );
        fs::write(&path, &sound[..at]).unwrap();
        assert!(
            cache.load(&scratch.engine, &DIGEST_OF_IT).is_none(),
            "cut at {at}"
        );
    }
    fs::write(&path, &sound).unwrap();
    assert!(cache.load(&scratch.engine, &DIGEST_OF_IT).is_some());
}

#[test]
fn a_file_that_others_can_write_or_that_is_a_link_is_not_loaded() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let (cache, path) = scratch.filled();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(cache.load(&scratch.engine, &DIGEST_OF_IT).is_none());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let moved = path.with_extension("moved");
    fs::rename(&path, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &path).unwrap();
    assert!(cache.load(&scratch.engine, &DIGEST_OF_IT).is_none());
}

#[test]
fn a_directory_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    fs::create_dir(&scratch.directory).unwrap();
    fs::set_permissions(&scratch.directory, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = CompileCache::open(&scratch.directory).unwrap_err();
    assert!(refused.to_string().contains("can be written by others"));
}
