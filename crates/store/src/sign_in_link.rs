//! Calls on the links by which a browser signs in once: `lua/sign_in_link/`.

include!(concat!(env!("OUT_DIR"), "/calls_sign_in_link.rs"));
