//! What an error's text says: its code, its first sentence, who was refused and why. Owns: the reasons of docs/specs/events.md that follow from a code.

use event::{Event, Text};

use super::{
    columns::{find, part, put, set_reason, set_source, split, text_of},
    sql,
};

/// An error at a login or in a statement: some codes mean different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the session is open.
    Login,
    /// A statement of an open session.
    Statement,
}

/// Longest text between the brackets of a code.
const CODE_BYTES_MAX: usize = 64;

/// `[privilege:1045]Access denied ..` -> (`privilege:1045`, `Access denied ..`); also `[PD:server:ErrX]text` and `ERROR 1045 (28000): text`.
pub fn split_code(text: &str) -> (Option<&str>, &str) {
    if let Some(rest) = text.strip_prefix('[') {
        let look = &rest.as_bytes()[..rest.len().min(CODE_BYTES_MAX)];
        if let Some(end) = look.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-' | b'.'))) {
            let code = &rest[..end];
            if look[end] == b']' && code.contains(':') && code.starts_with(|c: char| c.is_ascii_alphabetic()) {
                return (Some(code), rest[end + 1..].trim_start());
            }
        }
    }
    if let Some(rest) = text.strip_prefix("ERROR ") {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0
            && let Some((_, tail)) = rest[digits..].split_once("): ")
            && rest[digits..].starts_with(" (")
        {
            return (Some(&rest[..digits]), tail);
        }
    }
    (None, text)
}

/// The number of a code: 1045 of `privilege:1045`.
pub fn number(code: &str) -> Option<u32> {
    code.rsplit(':').next()?.parse().ok()
}

/// The first sentence of an error: no further lines, no stack. A quoted name may hold a full stop.
pub fn first_sentence(text: &str) -> &str {
    let line = text.trim_start();
    let line = line[..memchr::memchr2(b'\n', b'\r', line.as_bytes()).unwrap_or(line.len())].trim_end();
    let bytes = line.as_bytes();
    let may_end = |at: usize| bytes.get(at + 1) == Some(&b' ') && bytes.get(at + 2).is_some_and(u8::is_ascii_uppercase);
    if !memchr::memchr_iter(b'.', bytes).any(may_end) {
        return line;
    }
    let (mut i, mut quoted) = (0, false);
    while i < bytes.len() {
        match bytes[i] {
            b'\'' if quoted => quoted = false,
            // An apostrophe inside a word opens nothing.
            b'\'' => quoted = i == 0 || !bytes[i - 1].is_ascii_alphanumeric(),
            b'.' if !quoted && may_end(i) => return &line[..=i],
            _ => {}
        }
        i += 1;
    }
    line
}

/// Fills `error` and `error_code` from an error's whole text.
pub fn set_error<'a>(event: &mut Event<'a>, whole: &Text<'a>) {
    let (code, text) = split_code(whole);
    put(&mut event.error_code, code.map(|c| part(whole, c)));
    let sentence = first_sentence(text);
    if !sentence.is_empty() {
        put(&mut event.error, Some(part(whole, sentence)));
    }
}

/// The error of a line that means nothing else: `error` or `err` of the fields.
pub fn move_error(event: &mut Event<'_>) {
    if event.error.is_none()
        && let Some(at) = event.fields.iter().position(|(k, _)| matches!(k.as_ref(), "error" | "err"))
        && let Some(text) = text_of(event.fields.remove(at).1)
    {
        set_error(event, &text);
    }
}

/// Codes that only a login gives, and those that do at a login.
const LOGIN_CODES: &[u32] = &[1044, 1045, 1049, 1251, 1524, 1698, 1820, 1862, 3118, 3159, 3955];

/// Whether the error is a refused login and not a broken handshake.
pub fn is_login_code(code: &str) -> bool {
    number(code).is_some_and(|n| LOGIN_CODES.contains(&n))
}

/// The reason that a code of TiDB stands for.
pub fn reason_of(code: &str, text: &str, phase: Phase) -> Option<&'static str> {
    Some(match number(code)? {
        1045 if code.starts_with("server:") => "unknown_user",
        1045 if text.ends_with("(using password: NO)") || find(text, "(using password: NO)\n").is_some() => "no_password",
        1045 if code.contains(':') => "wrong_password",
        1045 => "access_denied",
        3118 => "account_locked",
        3955 => "account_blocked",
        1820 | 1862 => "password_expired",
        3159 => "insecure_transport",
        1044 | 1049 if phase == Phase::Login => "no_such_database",
        1251 | 1524 => "external_auth",
        1698 => "access_denied",
        1044 | 1142 | 1143 | 1227 | 1370 | 3530 | 8121 => "permission_denied",
        1064 | 1149 => "syntax",
        3024 => "timeout",
        8253 | 8254 => "runaway",
        8001 | 8175 | 8176 => "memory",
        1317 => "killed",
        _ => return None,
    })
}

/// The account in `.. user 'name'@'host' ..`. At a login the name is the client's own choice and may hold anything, a quote and an `@` too.
pub fn account_in(text: &str, phase: Phase) -> Option<(&str, &str)> {
    let (_, rest) = split(text, "user '").or_else(|| split(text, "User '"))?;
    let login = match phase {
        Phase::Login => until_password(rest).or_else(|| split(rest, "'. Account is ").map(|(head, _)| head)),
        Phase::Statement => None,
    };
    if let Some(login) = login {
        let at =
            memchr::memrchr_iter(b'@', login.as_bytes()).find(|at| login[..*at].ends_with('\'') && login[*at + 1..].starts_with('\''))?;
        return Some((&login[..at - 1], &login[at + 2..]));
    }
    let (name, tail) = split(rest, "'@'")?;
    Some((name, &tail[..tail.find('\'')?]))
}

/// What stands before the last `' (using password: `: nearly always the end of the text.
fn until_password(text: &str) -> Option<&str> {
    let ends = text.strip_suffix("' (using password: YES)").or_else(|| text.strip_suffix("' (using password: NO)"));
    ends.or_else(|| text.rsplit_once("' (using password: ").map(|(head, _)| head))
}

/// Fills user and address from the `'user'@'host'` of an error's text.
pub fn set_account<'a>(event: &mut Event<'a>, whole: &Text<'a>, phase: Phase) {
    let Some((name, host)) = account_in(whole, phase) else { return };
    if !name.is_empty() {
        put(&mut event.user, Some(part(whole, name)));
    }
    set_source(event, whole, host);
}

/// The privilege that a refusal names: `need (at least one of) the X or Y privilege(s)`, `X command denied`, `privilege check for 'X' fail`; upper case.
pub fn missing_privilege(text: &str) -> Option<String> {
    let upper = |t: &str| t.trim().replace(" or ", ", ").to_ascii_uppercase();
    if let Some((_, rest)) = split(text, "(at least one of) the ") {
        return split(rest, " privilege(s)").map(|(p, _)| upper(p));
    }
    if let Some((_, rest)) = split(text, "privilege check for '") {
        return split(rest, "'").map(|(p, _)| upper(p));
    }
    let (privilege, _) = split(text, " command denied to user")?;
    Some(upper(split_code(privilege).1))
}

/// The database of `.. to database 'x'`.
pub fn refused_database(text: &str) -> Option<&str> {
    split(split(text, "' to database '")?.1, "'").map(|(database, _)| database)
}

/// All that a failed statement's error says: code, sentence, reason, the missing privilege.
pub fn statement_failed<'a>(event: &mut Event<'a>, whole: &Text<'a>) {
    set_error(event, whole);
    let Some(reason) = event.error_code.as_deref().and_then(|code| reason_of(code, whole, Phase::Statement)) else { return };
    set_reason(event, reason);
    if reason == "permission_denied" {
        put(&mut event.privilege, missing_privilege(whole).map(Into::into));
        put(&mut event.database, refused_database(whole).map(|d| part(whole, d)));
        set_account(event, whole, Phase::Statement);
        refused_object(event, whole);
    }
}

/// The table of `.. for table 'x'`: where it is not the statement's first, it is the one that matters (a UNION that reaches for another table).
fn refused_object<'a>(event: &mut Event<'a>, whole: &Text<'a>) {
    let Some((table, _)) = split(whole, "' for table '").and_then(|(_, rest)| split(rest, "'")) else { return };
    if table.is_empty() || event.object.as_deref().is_some_and(|o| o.eq_ignore_ascii_case(table)) {
        return;
    }
    let database = event.statement.as_deref().and_then(|s| sql::database_of(s, table)).map(|d| Text::Owned(d.to_owned()));
    event.object = Some(part(whole, table));
    if database.is_some() {
        event.database = database;
    }
}

/// All that a refused login's error says.
pub fn login_failed<'a>(event: &mut Event<'a>, whole: &Text<'a>) {
    set_error(event, whole);
    set_account(event, whole, Phase::Login);
    let Some(reason) = event.error_code.as_deref().and_then(|code| reason_of(code, whole, Phase::Login)) else { return };
    if reason == "no_such_database" {
        put(&mut event.database, refused_database(whole).map(|d| part(whole, d)));
    }
    set_reason(event, reason);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_sentences_are_cut_from_an_error() {
        for (text, code, sentence) in [
            (
                "[privilege:1045]Access denied for user 'a'@'h' (using password: YES)",
                Some("privilege:1045"),
                "Access denied for user 'a'@'h' (using password: YES)",
            ),
            (
                "[privilege:3118]Access denied for user 'a. B'@'h'. Account is locked.",
                Some("privilege:3118"),
                "Access denied for user 'a. B'@'h'.",
            ),
            ("[schema:1146]Table 'a.b' doesn't exist\ngithub.com/x\n\ty.go:1", Some("schema:1146"), "Table 'a.b' doesn't exist"),
            ("[PD:server:ErrCancelStartEtcd]etcd start canceled", Some("PD:server:ErrCancelStartEtcd"), "etcd start canceled"),
            ("ERROR 1045 (28000): Access denied", Some("1045"), "Access denied"),
            ("ERROR in 5): x", None, "ERROR in 5): x"),
            ("[BIG_TXN] rest", None, "[BIG_TXN] rest"),
            ("[::1]:4000 refused", None, "[::1]:4000 refused"),
            ("read tcp 10.0.0.1:4000: reset", None, "read tcp 10.0.0.1:4000: reset"),
            ("", None, ""),
        ] {
            let (c, rest) = split_code(text);
            assert_eq!((c, first_sentence(rest)), (code, sentence), "{text}");
        }
    }

    #[test]
    fn the_account_is_the_last_at_a_login_and_the_first_in_a_statement() {
        let login = |t| account_in(t, Phase::Login);
        assert_eq!(login("Access denied for user 'root'@'10.0.0.9' (using password: YES)"), Some(("root", "10.0.0.9")));
        assert_eq!(
            login("Access denied for user 'x'@'1.2.3.4' (using password: YES)'@'10.0.0.9' (using password: NO)"),
            Some(("x'@'1.2.3.4' (using password: YES)", "10.0.0.9"))
        );
        assert_eq!(login("Access denied for user 'o'brien'@'h'. Account is locked."), Some(("o'brien", "h")));
        assert_eq!(login("Access denied for user ''@'h' (using password: NO)"), Some(("", "h")));
        assert_eq!(account_in("Access denied for user 'app'@'%' to database 'x'@'y'", Phase::Statement), Some(("app", "%")));
        for bad in ["", "user '", "user 'a'@'", "user 'a", "Access denied"] {
            assert_eq!(account_in(bad, Phase::Statement), None, "{bad}");
        }
    }

    #[test]
    fn reasons_follow_the_code() {
        for (code, text, phase, reason) in [
            ("server:1045", "(using password: YES)", Phase::Login, Some("unknown_user")),
            ("privilege:1045", "(using password: YES)", Phase::Login, Some("wrong_password")),
            ("privilege:1045", "(using password: NO)", Phase::Login, Some("no_password")),
            ("1045", "(using password: YES)", Phase::Login, Some("access_denied")),
            ("executor:1044", "", Phase::Login, Some("no_such_database")),
            ("executor:1044", "", Phase::Statement, Some("permission_denied")),
            ("schema:1049", "", Phase::Statement, None),
            ("parser:1064", "", Phase::Statement, Some("syntax")),
            ("kv:1062", "", Phase::Statement, None),
            ("BR:Common", "", Phase::Statement, None),
        ] {
            assert_eq!(reason_of(code, text, phase), reason, "{code}");
        }
    }

    #[test]
    fn the_missing_privilege_is_upper_case() {
        for (text, want) in [
            (
                "[planner:1227]Access denied; you need (at least one of) the SUPER or Config privilege(s) for this operation",
                Some("SUPER, CONFIG"),
            ),
            ("[planner:1142]SELECT command denied to user 'a'@'%' for table 'user'", Some("SELECT")),
            ("[planner:8121]privilege check for 'Grant Option' fail", Some("GRANT OPTION")),
            ("[executor:1044]Access denied for user 'a'@'h' to database 'mysql'", None),
        ] {
            assert_eq!(missing_privilege(text).as_deref(), want, "{text}");
        }
    }
}
