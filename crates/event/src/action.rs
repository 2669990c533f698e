//! What happened, in OCSF 1.8.0's words: one table from (`class_uid`, `activity_id`) to the spelling that rules and people use.
//!
//! The table only grows; a spelling is never changed (DESIGN §4).

/// An OCSF class that our events use. The number is `class_uid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Class {
    /// 1008: the log itself was cleared, enabled, disabled.
    EventLogActivity = 1008,
    /// 2004: a detection finding of ours.
    DetectionFinding = 2004,
    /// 3001: an account was made, changed, locked, dropped.
    AccountChange = 3001,
    /// 3002: a sign-in or sign-out.
    Authentication = 3002,
    /// 3004: an entity (node, store, member, resource) was managed.
    EntityManagement = 3004,
    /// 3005: privileges of a user.
    UserAccess = 3005,
    /// 3006: roles and groups.
    GroupManagement = 3006,
    /// 4001: a connection opened, closed, refused.
    NetworkActivity = 4001,
    /// 4002: a request over HTTP.
    HttpActivity = 4002,
    /// 5019: the configuration of a component changed.
    DeviceConfigStateChange = 5019,
    /// 6002: a component started, stopped, crashed.
    ApplicationLifecycle = 6002,
    /// 6003: a call of an administrative interface.
    ApiActivity = 6003,
    /// 6005: data was read, written, made, dropped.
    DatastoreActivity = 6005,
    /// 6008: an application's error that is no act of a person.
    ApplicationError = 6008,
}

impl Class {
    /// OCSF's `class_uid`.
    pub const fn uid(self) -> u16 {
        self as u16
    }
}

/// One row of the table: an act that an event can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// The OCSF class.
    pub class: Class,
    /// OCSF's `activity_id` within the class.
    pub id: u8,
    /// `<class>.<activity>` in OCSF's snake case; one spelling for ever.
    pub action: &'static str,
}

macro_rules! activities {
    ($($name:ident = $class:ident, $id:literal, $action:literal;)+) => {
        $(#[doc = concat!("`", $action, "`")] pub const $name: Activity = Activity { class: Class::$class, id: $id, action: $action };)+
        /// Every activity that our events can name.
        pub const ACTIVITIES: &[Activity] = &[$($name),+];
    };
}

activities! {
    LOG_CLEAR = EventLogActivity, 1, "event_log_activity.clear";
    LOG_DELETE = EventLogActivity, 2, "event_log_activity.delete";
    LOG_EXPORT = EventLogActivity, 3, "event_log_activity.export";
    LOG_ROTATE = EventLogActivity, 5, "event_log_activity.rotate";
    LOG_ENABLE = EventLogActivity, 9, "event_log_activity.enable";
    LOG_DISABLE = EventLogActivity, 10, "event_log_activity.disable";
    LOG_UPDATE = EventLogActivity, 99, "event_log_activity.update";
    FINDING_CREATE = DetectionFinding, 1, "detection_finding.create";
    FINDING_UPDATE = DetectionFinding, 2, "detection_finding.update";
    ACCOUNT_CREATE = AccountChange, 1, "account_change.create";
    ACCOUNT_ENABLE = AccountChange, 2, "account_change.enable";
    ACCOUNT_PASSWORD_CHANGE = AccountChange, 3, "account_change.password_change";
    ACCOUNT_DISABLE = AccountChange, 5, "account_change.disable";
    ACCOUNT_DELETE = AccountChange, 6, "account_change.delete";
    ACCOUNT_LOCK = AccountChange, 9, "account_change.lock";
    ACCOUNT_UNLOCK = AccountChange, 12, "account_change.unlock";
    ACCOUNT_UPDATE = AccountChange, 99, "account_change.update";
    LOGON = Authentication, 1, "authentication.logon";
    LOGOFF = Authentication, 2, "authentication.logoff";
    ENTITY_CREATE = EntityManagement, 1, "entity_management.create";
    ENTITY_UPDATE = EntityManagement, 3, "entity_management.update";
    ENTITY_DELETE = EntityManagement, 4, "entity_management.delete";
    ASSIGN_PRIVILEGES = UserAccess, 1, "user_access.assign_privileges";
    REVOKE_PRIVILEGES = UserAccess, 2, "user_access.revoke_privileges";
    GROUP_ADD_USER = GroupManagement, 3, "group_management.add_user";
    GROUP_REMOVE_USER = GroupManagement, 4, "group_management.remove_user";
    GROUP_DELETE = GroupManagement, 5, "group_management.delete";
    GROUP_CREATE = GroupManagement, 6, "group_management.create";
    CONNECTION_OPEN = NetworkActivity, 1, "network_activity.open";
    CONNECTION_CLOSE = NetworkActivity, 2, "network_activity.close";
    CONNECTION_RESET = NetworkActivity, 3, "network_activity.reset";
    CONNECTION_FAIL = NetworkActivity, 4, "network_activity.fail";
    CONNECTION_REFUSE = NetworkActivity, 5, "network_activity.refuse";
    HTTP_CONNECT = HttpActivity, 1, "http_activity.connect";
    HTTP_DELETE = HttpActivity, 2, "http_activity.delete";
    HTTP_GET = HttpActivity, 3, "http_activity.get";
    HTTP_HEAD = HttpActivity, 4, "http_activity.head";
    HTTP_OPTIONS = HttpActivity, 5, "http_activity.options";
    HTTP_POST = HttpActivity, 6, "http_activity.post";
    HTTP_PUT = HttpActivity, 7, "http_activity.put";
    HTTP_PATCH = HttpActivity, 9, "http_activity.patch";
    CONFIG_UPDATE = DeviceConfigStateChange, 99, "device_config_state_change.update";
    APP_START = ApplicationLifecycle, 3, "application_lifecycle.start";
    APP_STOP = ApplicationLifecycle, 4, "application_lifecycle.stop";
    APP_CRASH = ApplicationLifecycle, 99, "application_lifecycle.crash";
    API_CREATE = ApiActivity, 1, "api_activity.create";
    API_READ = ApiActivity, 2, "api_activity.read";
    API_UPDATE = ApiActivity, 3, "api_activity.update";
    API_DELETE = ApiActivity, 4, "api_activity.delete";
    DATA_READ = DatastoreActivity, 1, "datastore_activity.read";
    DATA_UPDATE = DatastoreActivity, 2, "datastore_activity.update";
    DATA_CONNECT = DatastoreActivity, 3, "datastore_activity.connect";
    DATA_QUERY = DatastoreActivity, 4, "datastore_activity.query";
    DATA_WRITE = DatastoreActivity, 5, "datastore_activity.write";
    DATA_CREATE = DatastoreActivity, 6, "datastore_activity.create";
    DATA_DELETE = DatastoreActivity, 7, "datastore_activity.delete";
    DATA_LIST = DatastoreActivity, 8, "datastore_activity.list";
    APP_ERROR = ApplicationError, 1, "application_error.general";
}

/// The activity of (`class_uid`, `activity_id`), or none: an unknown pair has no action. (`activity_id` 99 is OCSF's "other"; ours is named here.)
pub fn lookup(class_uid: u16, activity_id: u8) -> Option<&'static Activity> {
    ACTIVITIES.iter().find(|a| a.class.uid() == class_uid && a.id == activity_id)
}

/// The activity of an action's spelling.
pub fn by_action(action: &str) -> Option<&'static Activity> {
    ACTIVITIES.iter().find(|a| a.action == action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_spellings_are_unique() {
        for (i, a) in ACTIVITIES.iter().enumerate() {
            for b in &ACTIVITIES[i + 1..] {
                assert!(a.action != b.action, "{} stands twice", a.action);
                assert!((a.class, a.id) != (b.class, b.id), "{} and {} share a number", a.action, b.action);
            }
        }
    }
}
