//! `${VAR}` in a value.

/// What is wrong with a value: a sentence without its subject.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unresolved {
    #[error("has a ${{ without its }}")]
    Open,
    #[error("wants ${{{0}}}, which is not set in the environment")]
    Unset(String),
}

/// Replaces each `${VAR}` by the environment variable, and `${VAR:-other}` by `other` where that is
/// not set. `$${` stands for `${` itself.
pub(crate) fn variables<'v>(
    text: &str,
    variable: &impl Fn(&str) -> Option<&'v str>,
) -> Result<String, Unresolved> {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            replaced.push_str(before);
            replaced.push_str("${");
            rest = after;
            continue;
        }
        replaced.push_str(before);
        let Some((reference, behind)) = after.split_once('}') else {
            return Err(Unresolved::Open);
        };
        let (name, other) = match reference.split_once(":-") {
            Some((name, other)) => (name, Some(other)),
            None => (reference, None),
        };
        match variable(name).or(other) {
            Some(value) => replaced.push_str(value),
            None => {
                return Err(Unresolved::Unset(name.to_owned()));
            }
        }
        rest = behind;
    }
    replaced.push_str(rest);
    Ok(replaced)
}

#[cfg(test)]
mod tests {
    use super::variables;

    #[test]
    fn variables_are_replaced_wherever_they_stand() {
        let known = |name: &str| (name == "A").then_some("1");
        let replaced = |text: &str| variables(text, &known);
        for (text, expected) in [
            ("", ""),
            ("${A}", "1"),
            ("x${A}y${A}", "x1y1"),
            ("${B:-2}${A:-3}", "21"),
            ("$A $ {A} }", "$A $ {A} }"),
            ("a$${A}", "a${A}"),
        ] {
            assert_eq!(replaced(text).as_deref(), Ok(expected), "{text}");
        }
        assert!(replaced("${B}").unwrap_err().to_string().contains("${B}"));
        assert!(replaced("x${A").unwrap_err().to_string().contains("without its }"));
    }
}
