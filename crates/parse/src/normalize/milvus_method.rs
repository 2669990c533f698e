//! What a method of Milvus does, and what a privilege of Milvus lets one do: one registry for access rows, server lines and REST paths.

use event::action::{self, Activity};

/// The action of an RPC method, or of the path of a REST call (which newer access logs print in its place).
pub fn activity(method: &str) -> &'static Activity {
    if method.starts_with('/') {
        return rest(method);
    }
    match method {
        "Connect" => &action::LOGON,
        "CreateCredential" => &action::ACCOUNT_CREATE,
        "DeleteCredential" => &action::ACCOUNT_DELETE,
        "UpdateCredential" => &action::ACCOUNT_PASSWORD_CHANGE,
        "CreateRole" | "CreatePrivilegeGroup" => &action::GROUP_CREATE,
        "DropRole" | "DropPrivilegeGroup" => &action::GROUP_DELETE,
        "OperateUserRole" => &action::GROUP_ADD_USER,
        "OperatePrivilege" | "OperatePrivilegeV2" | "OperatePrivilegeGroup" => &action::ASSIGN_PRIVILEGES,
        "Query" | "Search" | "HybridSearch" | "QueryV2" | "SearchV2" => &action::DATA_QUERY,
        "Insert" | "Upsert" | "Delete" | "Import" | "ImportV2" | "Flush" | "FlushAll" => &action::DATA_WRITE,
        "TruncateCollection" => &action::DATA_DELETE,
        "Compaction" | "ManualCompaction" => &action::DATA_UPDATE,
        _ => by_prefix(method),
    }
}

fn by_prefix(method: &str) -> &'static Activity {
    const PREFIXES: &[(&str, &Activity)] = &[
        ("Create", &action::DATA_CREATE),
        ("Drop", &action::DATA_DELETE),
        ("Alter", &action::DATA_UPDATE),
        ("Rename", &action::DATA_UPDATE),
        ("Load", &action::DATA_UPDATE),
        ("Release", &action::DATA_UPDATE),
        ("Transfer", &action::DATA_UPDATE),
        ("Update", &action::DATA_UPDATE),
    ];
    PREFIXES.iter().find(|(prefix, _)| method.starts_with(prefix)).map_or(&action::DATA_LIST, |(_, activity)| activity)
}

/// `/v2/vectordb/<resource>/<verb>`, `/v1/vector/<verb or collections>`.
fn rest(path: &str) -> &'static Activity {
    let path = path.split('?').next().unwrap_or(path).trim_end_matches('/');
    let (rest, verb) = path.rsplit_once('/').unwrap_or(("", path));
    let resource = rest.rsplit('/').next().unwrap_or("");
    match (resource, verb) {
        (_, "query" | "search" | "hybrid_search" | "advanced_search") => &action::DATA_QUERY,
        ("entities", "get") | ("vector", "get") => &action::DATA_QUERY,
        ("entities" | "vector", "insert" | "upsert" | "delete") => &action::DATA_WRITE,
        ("users", "create") => &action::ACCOUNT_CREATE,
        ("users", "drop") => &action::ACCOUNT_DELETE,
        ("users", "update_password") => &action::ACCOUNT_PASSWORD_CHANGE,
        ("users", "grant_role") => &action::GROUP_ADD_USER,
        ("users", "revoke_role") => &action::GROUP_REMOVE_USER,
        ("roles" | "privilege_groups", "create") => &action::GROUP_CREATE,
        ("roles" | "privilege_groups", "drop") => &action::GROUP_DELETE,
        (_, "grant_privilege" | "grant_privilege_v2" | "add_privileges_to_group") => &action::ASSIGN_PRIVILEGES,
        (_, "revoke_privilege" | "revoke_privilege_v2" | "remove_privileges_from_group") => &action::REVOKE_PRIVILEGES,
        ("import" | "jobs", "create") => &action::DATA_WRITE,
        (_, "create") => &action::DATA_CREATE,
        (_, "drop" | "truncate") => &action::DATA_DELETE,
        (_, "alter" | "rename" | "load" | "release" | "alter_properties" | "drop_properties" | "compact") => &action::DATA_UPDATE,
        (_, "flush") => &action::DATA_WRITE,
        _ => &action::DATA_LIST,
    }
}

/// What somebody wanted to do who lacked this privilege (`PrivilegeInsert`).
pub fn refused(privilege: &str) -> &'static Activity {
    match privilege.strip_prefix("Privilege").unwrap_or(privilege) {
        "CreateOwnership" => &action::ACCOUNT_CREATE,
        "DropOwnership" => &action::ACCOUNT_DELETE,
        "UpdateUser" => &action::ACCOUNT_PASSWORD_CHANGE,
        "ManageOwnership" | "OperatePrivilegeGroup" | "RestoreRBAC" => &action::ASSIGN_PRIVILEGES,
        method => activity(method),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods() {
        for (method, want) in [
            ("Connect", "authentication.logon"),
            ("CreateCredential", "account_change.create"),
            ("UpdateCredential", "account_change.password_change"),
            ("OperateUserRole", "group_management.add_user"),
            ("OperatePrivilegeV2", "user_access.assign_privileges"),
            ("DropPrivilegeGroup", "group_management.delete"),
            ("HybridSearch", "datastore_activity.query"),
            ("Delete", "datastore_activity.write"),
            ("Flush", "datastore_activity.write"),
            ("CreateAlias", "datastore_activity.create"),
            ("DropDatabase", "datastore_activity.delete"),
            ("TruncateCollection", "datastore_activity.delete"),
            ("AlterCollection", "datastore_activity.update"),
            ("LoadPartitions", "datastore_activity.update"),
            ("TransferReplica", "datastore_activity.update"),
            ("DescribeCollection", "datastore_activity.list"),
            ("SelectUser", "datastore_activity.list"),
            ("GetFlushState", "datastore_activity.list"),
            ("Whatever", "datastore_activity.list"),
            ("", "datastore_activity.list"),
            ("/v2/vectordb/entities/query", "datastore_activity.query"),
            ("/v2/vectordb/users/grant_role", "group_management.add_user"),
            ("/v2/vectordb/collections/drop/", "datastore_activity.delete"),
            ("/v1/vector/insert", "datastore_activity.write"),
            ("/v1/vector/collections?dbName=x", "datastore_activity.list"),
            ("/", "datastore_activity.list"),
        ] {
            assert_eq!(activity(method).action, want, "{method}");
        }
    }

    #[test]
    fn privileges() {
        for (privilege, want) in [
            ("PrivilegeInsert", "datastore_activity.write"),
            ("PrivilegeDropCollection", "datastore_activity.delete"),
            ("PrivilegeCreateOwnership", "account_change.create"),
            ("PrivilegeManageOwnership", "user_access.assign_privileges"),
            ("PrivilegeSelectUser", "datastore_activity.list"),
            ("PrivilegeUpdateUser", "account_change.password_change"),
            ("Search", "datastore_activity.query"),
        ] {
            assert_eq!(refused(privilege).action, want, "{privilege}");
        }
    }
}
