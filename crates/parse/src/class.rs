//! The class of a record (FORMAT §1): decided once, before the WAL, from the record, its source and the product last decided there. When in doubt longer wins.

use event::{Class, Event, Issue, LogClass, SourceDefinition, action, id::OWN_CLUSTER};

/// The class of a parsed record.
pub fn class_of(event: &Event<'_>, definition: &SourceDefinition) -> LogClass {
    if definition.cluster == OWN_CLUSTER {
        return LogClass::Own;
    }
    match event.stream.as_deref() {
        Some("slow" | "general") => return LogClass::Statement,
        Some("audit" | "crash") => return LogClass::Security,
        _ => {}
    }
    if event.issues.iter().any(|i| matches!(i, Issue::Unparsed | Issue::Forged | Issue::Piece)) {
        return unreadable(event);
    }
    match event.activity {
        Some(activity) => of_activity(event, activity),
        None if matches!(event.stream.as_deref(), Some("access" | "rest")) => LogClass::Access,
        None => LogClass::Server,
    }
}

/// What does not say what it is may be what somebody wants forgotten, where the stream is one that carries such facts.
fn unreadable(event: &Event<'_>) -> LogClass {
    match event.product.as_deref() {
        Some("tidb" | "pd" | "tiproxy" | "milvus") | None => LogClass::Security,
        Some(_) => LogClass::Server,
    }
}

fn of_activity(event: &Event<'_>, activity: &action::Activity) -> LogClass {
    match activity.class {
        Class::DatastoreActivity => match *activity {
            // A refused privilege is about privileges, whatever was asked for.
            action::DATA_READ | action::DATA_QUERY | action::DATA_WRITE | action::DATA_LIST
                if event.field_text("reason") != Some("permission_denied") =>
            {
                LogClass::Access
            }
            _ => LogClass::Security,
        },
        Class::HttpActivity => {
            let refused = matches!(event.error_code.as_deref(), Some("401" | "403"));
            // Milvus serves this one without asking who calls.
            let unguarded = event.object.as_deref().is_some_and(|path| path.contains("/api/v1/"));
            if refused || unguarded { LogClass::Security } else { LogClass::Access }
        }
        Class::ApplicationError => LogClass::Server,
        _ => LogClass::Security,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use event::{Activity, Value};

    use super::*;

    fn event(product: Option<&'static str>, stream: Option<&'static str>, activity: Option<&'static Activity>) -> Event<'static> {
        Event { product: product.map(Cow::Borrowed), stream: stream.map(Cow::Borrowed), activity, ..Event::default() }
    }

    #[test]
    fn classes() {
        use LogClass::{Access, Security, Server, Statement};
        let source = SourceDefinition { cluster: "c1".into(), ..SourceDefinition::default() };
        for (product, stream, activity, want) in [
            (Some("tidb"), Some("server"), Some(&action::LOGON), Security),
            (Some("tidb"), Some("server"), Some(&action::DATA_QUERY), Access),
            (Some("tidb"), Some("server"), Some(&action::DATA_DELETE), Security),
            (Some("tidb"), Some("server"), Some(&action::CONFIG_UPDATE), Security),
            (Some("tidb"), Some("server"), Some(&action::CONNECTION_CLOSE), Security),
            (Some("tidb"), Some("server"), Some(&action::APP_START), Security),
            (Some("tidb"), Some("server"), Some(&action::APP_ERROR), Server),
            (Some("tidb"), Some("server"), None, Server),
            (Some("tidb"), Some("slow"), Some(&action::DATA_DELETE), Statement),
            (Some("tidb"), Some("general"), Some(&action::DATA_QUERY), Statement),
            (Some("tidb"), Some("audit"), Some(&action::DATA_QUERY), Security),
            (Some("tidb"), Some("crash"), None, Security),
            (Some("pd"), Some("server"), Some(&action::API_READ), Security),
            (Some("tikv"), Some("server"), Some(&action::DATA_READ), Access),
            (Some("milvus"), Some("access"), Some(&action::DATA_QUERY), Access),
            (Some("milvus"), Some("access"), Some(&action::ACCOUNT_CREATE), Security),
            (Some("milvus"), Some("access"), None, Access),
            (Some("milvus"), Some("rest"), Some(&action::HTTP_GET), Access),
            (Some("milvus"), Some("rest"), None, Access),
        ] {
            let got = class_of(&event(product, stream, activity), &source);
            assert_eq!(got, want, "{product:?} {stream:?} {:?}", activity.map(|a| a.action));
        }
    }

    #[test]
    fn what_cannot_be_read_is_kept_long_where_it_may_matter() {
        let source = SourceDefinition { cluster: "c1".into(), ..SourceDefinition::default() };
        for (product, want) in [
            (Some("tidb"), LogClass::Security),
            (Some("pd"), LogClass::Security),
            (Some("milvus"), LogClass::Security),
            (None, LogClass::Security),
            (Some("tikv"), LogClass::Server),
            (Some("etcd"), LogClass::Server),
        ] {
            for issue in [Issue::Unparsed, Issue::Forged, Issue::Piece] {
                let mut e = event(product, Some("server"), None);
                e.mark(issue);
                assert_eq!(class_of(&e, &source), want, "{product:?}");
            }
        }
        let mut slow = event(Some("tidb"), Some("slow"), None);
        slow.mark(Issue::Unparsed);
        assert_eq!(class_of(&slow, &source), LogClass::Statement);
    }

    #[test]
    fn refusals_are_about_privileges() {
        let source = SourceDefinition { cluster: "c1".into(), ..SourceDefinition::default() };
        let mut denied = event(Some("milvus"), Some("access"), Some(&action::DATA_WRITE));
        denied.fields.push(("reason".into(), Value::Text("permission_denied".into())));
        assert_eq!(class_of(&denied, &source), LogClass::Security);
        let mut row = event(Some("milvus"), Some("rest"), Some(&action::HTTP_GET));
        row.error_code = Some("401".into());
        assert_eq!(class_of(&row, &source), LogClass::Security);
        row.error_code = None;
        row.object = Some("/api/v1/credential/users".into());
        assert_eq!(class_of(&row, &source), LogClass::Security);
    }

    #[test]
    fn our_own_records_are_our_own() {
        let own = SourceDefinition { cluster: OWN_CLUSTER.into(), ..SourceDefinition::default() };
        assert_eq!(class_of(&event(None, None, None), &own), LogClass::Own);
    }
}
