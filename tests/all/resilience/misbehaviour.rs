//! A component that traps, loops or eats memory.
