use super::*;

const MANIFEST: &str = "file appendonly.aof.1.base.rdb seq 1 type b\n\
                        file appendonly.aof.1.incr.aof seq 1 type i\n";
/// An empty snapshot without a checksum.
const BASE: &[u8] = b"REDIS0010\xff\0\0\0\0\0\0\0\0";
const INCR: &str = "appendonly.aof.1.incr.aof";

fn command(words: &[&str]) -> Vec<u8> {
    let words = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    let words: Vec<_> = words.collect();
    format!("*{}\r\n{}", words.len(), words.concat()).into_bytes()
}

fn transaction(key: &str) -> Vec<u8> {
    let words: [&[&str]; 4] = [&["MULTI"], &["SET", key, "1"], &["SET", "n", key], &["EXEC"]];
    words.iter().flat_map(|words| command(words)).collect()
}

struct Data(tempfile::TempDir);

impl Data {
    fn new(incr: &[u8]) -> Self {
        let data = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(data.folder()).unwrap();
        data.write(manifest::NAME, MANIFEST.as_bytes());
        data.write("appendonly.aof.1.base.rdb", BASE);
        data.write(INCR, incr);
        data
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join(manifest::FOLDER)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder().join(name), bytes).unwrap();
    }

    fn incr(&self) -> Vec<u8> {
        std::fs::read(self.folder().join(INCR)).unwrap()
    }

    fn look(&self) -> Found {
        look(self.0.path()).unwrap()
    }

    fn sealed(self) -> Self {
        Follower::of_running(self.0.path()).seal();
        assert!(self.folder().join(seal::NAME).is_file());
        self
    }

    fn damage(&self) -> Damage {
        match self.look() {
            Found::Damaged(damage) => damage,
            other => panic!("not damaged: {other:?}"),
        }
    }
}

#[test]
fn only_the_unfinished_end_is_cut_and_it_is_kept() {
    let whole = [transaction("a"), transaction("b")].concat();
    let unfinished = &transaction("c")[..30];
    let data = Data::new(&[&whole, unfinished].concat());
    let Found::Torn(torn, _) = data.look() else { panic!("not torn") };
    assert_eq!((torn.from, torn.bytes), (whole.len() as u64, 30));
    let copy = cut(&torn, data.0.path()).unwrap();
    assert_eq!(std::fs::read(copy).unwrap(), unfinished);
    assert_eq!(data.incr(), whole);
    assert!(matches!(data.look(), Found::Whole(_)));
}

#[test]
fn what_was_sealed_must_be_there_and_be_the_same() {
    let whole = [transaction("a"), transaction("b")].concat();
    for at in 0..whole.len() {
        let data = Data::new(&whole).sealed();
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        data.write(INCR, &bytes);
        let damage = data.damage();
        assert!(damage.file.ends_with(INCR), "{damage:?}");
        data.write(INCR, &whole[..at]);
        assert!(matches!(data.damage().cure, Cure::Cut { .. }), "{at}");
    }
    // What came later is judged by itself.
    let data = Data::new(&whole).sealed();
    data.write(INCR, &[&whole[..], &transaction("c")[..9]].concat());
    assert!(matches!(data.look(), Found::Torn(Torn { bytes: 9, .. }, _)));
    // A seal that cannot be read is as none.
    data.write(seal::NAME, b"nonsense");
    assert!(matches!(data.look(), Found::Torn(..)));
}

#[test]
fn a_seal_grows_with_the_file_and_covers_whole_commands_only() {
    let (one, two) = (transaction("a"), transaction("b"));
    let data = Data::new(&[&one[..], &two[..10]].concat());
    let mut follower = Follower::of_running(data.0.path());
    follower.seal();
    let bytes = || seal::read(&data.folder()).unwrap().files[INCR].bytes;
    assert_eq!(bytes(), one.len() as u64);
    data.write(INCR, &[&one[..], &two].concat());
    follower.seal();
    assert_eq!(bytes(), (one.len() + two.len()) as u64);
    // A write that Redis took back.
    data.write(INCR, &one);
    follower.seal();
    assert_eq!(bytes(), one.len() as u64);
    assert!(matches!(data.look(), Found::Whole(_)));
}

#[test]
fn missing_and_foreign_files_are_named() {
    let damaged = |change: &dyn Fn(&Data)| {
        let data = Data::new(&transaction("a")).sealed();
        change(&data);
        let damage = data.damage();
        assert_eq!(damage.cure, Cure::Restore, "{damage:?}");
        repair::sentence(&damage)
    };
    let remove = |data: &Data, name: &str| std::fs::remove_file(data.folder().join(name)).unwrap();
    assert!(damaged(&|data| remove(data, manifest::NAME)).contains("is missing"));
    assert!(damaged(&|data| remove(data, INCR)).contains("is missing"));
    assert!(damaged(&|data| data.write(manifest::NAME, b"")).contains("is empty"));
    assert!(
        damaged(&|data| data.write("appendonly.aof.1.base.rdb", b"RADIS")).contains("snapshot")
    );
    let flipped = BASE.iter().map(|byte| if *byte == 0 { 1 } else { *byte }).collect::<Vec<_>>();
    assert!(
        damaged(&|data| data.write("appendonly.aof.1.base.rdb", &flipped)).contains("checksum")
    );
    // One bit makes a file one that Redis deletes.
    let other = format!("{MANIFEST}file appendonly.aof.2.incr.aof seq 2 type i\n");
    let history = |data: &Data| {
        data.write("appendonly.aof.2.incr.aof", b"");
        data.write(manifest::NAME, other.replace("1 type i", "1 type h").as_bytes());
    };
    assert!(damaged(&history).contains("no longer names"));
}

#[test]
fn a_server_that_never_got_further_than_its_first_start_is_none() {
    let data = Data::new(b"");
    std::fs::remove_file(data.folder().join(manifest::NAME)).unwrap();
    assert!(matches!(data.look(), Found::Whole(_)));
    std::fs::remove_dir_all(data.folder()).unwrap();
    assert!(matches!(data.look(), Found::Whole(_)));
}

#[test]
fn a_repair_shows_what_is_lost_and_keeps_all_of_it() {
    let mut bytes = [transaction("a"), transaction("b"), transaction("c")].concat();
    let at = transaction("a").len();
    bytes[at] = b'+';
    let data = Data::new(&bytes);
    let plan = repair::plan(data.0.path()).unwrap().unwrap();
    assert!(plan.is_repairable() && plan.damage().contains(&format!("at byte {at}")));
    let lost = plan.what_is_lost().unwrap();
    assert!(lost.contains(&format!("{} bytes", bytes.len() - at)), "{lost}");
    let copy = plan.carry_out().unwrap();
    assert_eq!(data.incr(), transaction("a"));
    assert_eq!(std::fs::read(copy.join(INCR)).unwrap(), bytes);
    assert!(repair::plan(data.0.path()).unwrap().is_none());
}

#[test]
fn a_repair_of_an_earlier_file_leaves_out_the_later_ones() {
    let data = Data::new(&[&transaction("a")[..], b"+"].concat());
    let manifest = format!("{MANIFEST}file appendonly.aof.2.incr.aof seq 2 type i\n");
    data.write(manifest::NAME, manifest.as_bytes());
    data.write("appendonly.aof.2.incr.aof", &transaction("b"));
    let plan = repair::plan(data.0.path()).unwrap().unwrap();
    assert!(plan.what_is_lost().unwrap().contains("appendonly.aof.2.incr.aof"));
    plan.carry_out().unwrap();
    assert_eq!(data.incr(), transaction("a"));
    assert!(!data.folder().join("appendonly.aof.2.incr.aof").exists());
}
