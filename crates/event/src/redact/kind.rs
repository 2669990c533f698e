//! The kinds of secrets: one registry, whose names stand in marks and in `issues` for ever. Additions only.

/// The number of a kind: below [`KINDS`]'s length one of ours, from there on a pattern of the configuration.
pub(super) type KindId = u16;

/// What an account signs in with.
pub(super) const PASSWORD: KindId = 0;
/// A stored form of a password: a hash, an authentication string.
pub(super) const PASSWORD_HASH: KindId = 1;
/// A key of an application interface.
pub(super) const API_KEY: KindId = 2;
/// A session, bearer, refresh or personal access token.
pub(super) const TOKEN: KindId = 3;
/// A shared or signing secret.
pub(super) const SECRET_KEY: KindId = 4;
/// A private key of a key pair.
pub(super) const PRIVATE_KEY: KindId = 5;
/// The password inside a connection string or URL.
pub(super) const CONNECTION_STRING: KindId = 6;
/// A key of a cloud account.
pub(super) const CLOUD_KEY: KindId = 7;
/// An address of a webhook: who knows it may post.
pub(super) const WEBHOOK: KindId = 8;
/// The number of a payment card.
pub(super) const CARD: KindId = 9;
/// An e-mail address in a value.
pub(super) const EMAIL: KindId = 10;
/// What mode `remove` leaves instead of any of them.
pub(super) const REMOVED: KindId = 11;

/// The names, by number. Never renamed, never reordered; lower case, no double underscore.
pub const KINDS: &[&str] = &[
    "password",
    "password_hash",
    "api_key",
    "token",
    "secret_key",
    "private_key",
    "connection_string",
    "cloud_key",
    "webhook",
    "card",
    "email",
    "removed",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_their_kinds() {
        let named = [
            (PASSWORD, "password"),
            (PASSWORD_HASH, "password_hash"),
            (API_KEY, "api_key"),
            (TOKEN, "token"),
            (SECRET_KEY, "secret_key"),
            (PRIVATE_KEY, "private_key"),
            (CONNECTION_STRING, "connection_string"),
            (CLOUD_KEY, "cloud_key"),
            (WEBHOOK, "webhook"),
            (CARD, "card"),
            (EMAIL, "email"),
            (REMOVED, "removed"),
        ];
        assert_eq!(named.len(), KINDS.len());
        for (id, name) in named {
            assert_eq!(KINDS[usize::from(id)], name);
        }
    }
}
