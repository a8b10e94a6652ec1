//! The arithmetic of the scripts against Rust's.

use reef_domain::limits::MONEY_MAX;

use crate::harness::RedisServer;

const MULDIV: &str = include_str!("../../../crates/store/lua/include/muldiv.lua");

/// What the scripts know when they divide.
const BEFORE: &str = "local MONEY_MAX = 9007199254740991\n\
    local function quotient(a, b) return (a - math.fmod(a, b)) / b end\n";

/// Many at once: arguments in threes.
const AFTER: &str = "local found = {}\n\
    for i = 1, #ARGV, 3 do\n\
    found[#found + 1] = string.format('%.0f', muldiv(tonumber(ARGV[i]), tonumber(ARGV[i + 1]),\
    tonumber(ARGV[i + 2])))\n\
    end\n\
    return found";

fn exact(a: i64, b: i64, c: i64) -> i64 {
    let exact = i128::from(a) * i128::from(b) / i128::from(c);
    i64::try_from(exact).map_or(MONEY_MAX, |it| it.min(MONEY_MAX))
}

/// Of any magnitude, and often near a power of two.
fn operand(random: &mut fastrand::Rng, least: i64) -> i64 {
    let power = 1_i64 << random.u32(0..53);
    let number = match random.u8(0..4) {
        0 => power + random.i64(-2..=2),
        1 => MONEY_MAX - random.i64(0..3),
        _ => random.i64(power / 2..=power * 2 - 1),
    };
    number.clamp(least, MONEY_MAX)
}

#[test]
fn a_quotient_of_a_product_is_exact_up_to_106_bits() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    let script = [BEFORE, MULDIV, AFTER].concat();
    let mut random = fastrand::Rng::new();
    println!("seed {}", random.get_seed());
    for _ in 0..100 {
        let threes: Vec<[i64; 3]> = (0..1000)
            .map(|_| [operand(&mut random, 0), operand(&mut random, 0), operand(&mut random, 1)])
            .collect();
        let mut call = redis::cmd("EVAL");
        call.arg(&script).arg(0);
        for number in threes.iter().flatten() {
            call.arg(number);
        }
        let found: Vec<String> = call.query(&mut redis).unwrap();
        for ([a, b, c], found) in threes.into_iter().zip(found) {
            assert_eq!(found, exact(a, b, c).to_string(), "{a} x {b} / {c}");
        }
    }
}
