//! `Prefer: durability=…` and `Prefer: handling=strict` (`contract.md` §1): what a write asks for, and
//! what its answer says.

use reef_store::durability::{RULE, Safety};

use crate::edge;
use crate::http::{Request, Response};
use crate::problem::{Code, Problem};
use crate::route::group_of;

/// The header of a request that says what is wanted (RFC 7240).
pub const PREFER: &str = "prefer";
/// The header of an answer that says which wish was met.
pub const APPLIED: &str = "preference-applied";
/// The header of an answer that says how safe the write is.
pub const REACHED: &str = "reef-durability";
/// What a component says of it where no host waits for writes: as safe as the server is set to be.
const SERVER: &str = "server";

/// The routes about money, by what stands behind `/api/v1/`.
const MONEY: [&str; 7] =
    ["deposit", "withdraw", "transfer", "holds", "intents", "positions", "entries"];

/// What a write asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wish {
    /// How safe it shall be; `None`: as the hub has it.
    pub safety: Option<Safety>,
    /// It would rather have no success than less than that.
    pub is_strict: bool,
}

impl Wish {
    /// Reads the values of the headers. What it does not know is somebody else's and passed over; of
    /// what comes twice, the first counts.
    ///
    /// # Errors
    /// 400 that names the header.
    pub fn read<'v>(values: impl Iterator<Item = &'v [u8]>) -> Result<Self, Problem> {
        let mut wish = Self::default();
        let mut handling = None;
        for value in values {
            // Only ASCII is looked at, and what is not is in nobody's name.
            let value = String::from_utf8_lossy(value);
            for preference in value.split(',') {
                let mut parts = preference.split(';').map(pair);
                match parts.next() {
                    Some((name, level)) if name.eq_ignore_ascii_case("durability") => {
                        let replicas = parts.find(|(name, _)| name.eq_ignore_ascii_case("n"));
                        let safety = Safety::new(level, replicas.map(|(_, count)| count));
                        let safety = safety.ok_or_else(|| bad(&format!("durability {RULE}")))?;
                        wish.safety = wish.safety.or(Some(safety));
                    }
                    Some((name, how)) if name.eq_ignore_ascii_case("handling") => {
                        let is_strict = match how {
                            "strict" => true,
                            "lenient" => false,
                            _ => return Err(bad("handling must be strict or lenient")),
                        };
                        handling = handling.or(Some(is_strict));
                    }
                    _ => {}
                }
            }
        }
        wish.is_strict = handling.unwrap_or_default();
        Ok(wish)
    }
}

/// Name and value of a preference, without blanks and quotes around them.
fn pair(part: &str) -> (&str, &str) {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let value = value.trim();
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    (name.trim(), unquoted.unwrap_or(value))
}

fn bad(rule: &str) -> Problem {
    Problem::parameter("Prefer", rule)
}

/// How safe writes are that ask for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaults {
    /// `durability_money`.
    pub money: Safety,
    /// `durability_default`.
    pub other: Safety,
}

impl Defaults {
    /// What a write to a path is to have.
    #[must_use]
    pub fn of(&self, path: &str) -> Safety {
        if MONEY.contains(&group_of(path)) { self.money } else { self.other }
    }
}

/// The write has not become as safe as it had to be; `reached` is what is known.
#[must_use]
pub fn not_reached(wanted: Safety, reached: &str) -> Problem {
    let detail = format!(
        "The change is made, and it is not known to be as safe as was asked: wanted {wanted}, \
         reached {reached}. Repeat it with the same Idempotency-Key."
    );
    Problem::new(Code::DurabilityNotReached, detail).with(REACHED, reached)
}

/// What a request asks for, if it writes.
///
/// # Errors
/// As [`Wish::read`].
pub(crate) fn wish_of(request: &Request) -> Result<Option<Wish>, Problem> {
    if !edge::is_write(&request.method) {
        return Ok(None);
    }
    let prefer = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(PREFER));
    Wish::read(prefer.map(|(_, value)| value)).map(Some)
}

/// What the answer to a write says where no host waits for it.
///
/// # Errors
/// The write is made, and had to be safer than is known.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "only components need it"))]
pub(crate) fn settle_by_server(request: &Request, response: Response) -> Result<Response, Problem> {
    let wish = wish_of(request).ok().flatten();
    let Some(wish) = wish.filter(|_| (200..300).contains(&response.status)) else {
        return Ok(response);
    };
    match wish.safety {
        Some(safety) if safety != Safety::MEMORY && wish.is_strict => {
            Err(not_reached(safety, SERVER))
        }
        Some(Safety::MEMORY) => {
            Ok(response.with(REACHED, SERVER).with(APPLIED, "durability=memory"))
        }
        _ => Ok(response.with(REACHED, SERVER)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Wish, Problem> {
        Wish::read(values.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn wishes_are_read_as_rfc_7240_writes_them() {
        let wish = |safety: &str, is_strict| Ok(Wish { safety: Safety::parse(safety), is_strict });
        for (values, expected) in [
            (&[][..], wish("", false)),
            (&["durability=disk"], wish("disk", false)),
            (&["Durability = \"replica\" ; N=2 , handling=strict"], wish("replica;n=2", true)),
            (&["respond-async, wait=10", "handling=strict"], wish("", true)),
            (&["durability=memory", "durability=disk"], wish("memory", false)),
            (&["handling=lenient", "handling=strict"], wish("", false)),
            (&["durability=replica-disk"], wish("replica-disk", false)),
        ] {
            assert_eq!(read(values).map_err(|it| it.detail), expected, "{values:?}");
        }
    }

    #[test]
    fn a_bad_wish_names_the_header() {
        for value in [
            "durability",
            "durability=disc",
            "durability=disk;n=1",
            "durability=replica;n=0",
            "durability=replica;n=17",
            "durability=replica;n=x",
            "durability=disk, durability=tape",
            "handling=quick",
            "durability=\u{fffd}",
        ] {
            let problem = read(&[value]).unwrap_err();
            assert_eq!(problem.code, Code::InvalidParameter, "{value}");
            assert_eq!(problem.errors[0].field, "Prefer", "{value}");
        }
    }

    #[test]
    fn money_has_a_default_of_its_own() {
        let defaults = Defaults { money: Safety::DISK, other: Safety::MEMORY };
        for path in ["/api/v1/deposit", "/api/v1/holds/x/post", "/api/v1/positions/p/close"] {
            assert_eq!(defaults.of(path), Safety::DISK, "{path}");
        }
        for path in ["/api/v1/tasks", "/api/v1/nodes/deposit", "/api/v1/agents/register"] {
            assert_eq!(defaults.of(path), Safety::MEMORY, "{path}");
        }
    }

    #[test]
    fn where_no_host_waits_the_server_is_named_and_nothing_is_promised() {
        let request = |method: &str, prefer: &str| Request {
            method: method.to_owned(),
            headers: [("Prefer", prefer)].into_iter().collect(),
            ..Request::default()
        };
        let said = |method: &str, prefer: &str, status| {
            let settled = settle_by_server(&request(method, prefer), Response::empty(status));
            settled.map(|it| it.headers.get(REACHED).map(<[u8]>::to_vec)).map_err(|it| it.code)
        };
        let server = Ok(Some(b"server".to_vec()));
        assert_eq!(said("POST", "", 200), server);
        assert_eq!(said("POST", "durability=disk", 200), server);
        assert_eq!(said("POST", "durability=memory, handling=strict", 200), server);
        assert_eq!(said("GET", "durability=disk", 200), Ok(None));
        assert_eq!(said("POST", "", 409), Ok(None));
        let refused = said("POST", "durability=disk, handling=strict", 200);
        assert_eq!(refused, Err(Code::DurabilityNotReached));
    }
}
