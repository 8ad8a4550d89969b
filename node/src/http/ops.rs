//! The operations of the API by name: the table of addresses gives each one a place, and the router one handler.

/// One operation of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// This node.
    Node,
    /// Places known here.
    Places,
    /// Invite a place below.
    Invite,
    /// Revoke a place's certificates.
    Revoke,
    /// Let count what was stored and not counted.
    Admit,
    /// Move, merge or re-code a place.
    Place,
    /// List matters.
    Matters,
    /// Register a matter.
    Register,
    /// One matter.
    Matter,
    /// What may be done with it now.
    Next,
    /// Matters like it.
    Similar,
    /// Matters like a text.
    SimilarText,
    /// The sheets there are.
    Sheets,
    /// One sheet.
    Sheet,
    /// The forms that are kept.
    Forms,
    /// What keeping a form would do.
    StageForm,
    /// Keep a form.
    KeepForm,
    /// A form, filled.
    FillForm,
    /// Take a form away.
    RemoveForm,
    /// Take a step.
    Act,
    /// Bring a photo.
    KeepFile,
    /// Bring a photo and put it to a matter.
    Attach,
    /// The bytes of a photo.
    File,
    /// The photos known here.
    Files,
    /// Let a photo go.
    LetGo,
    /// The petitioner's identity.
    Petitioner,
    /// Have the petitioner forgotten.
    Forget,
    /// Who has forgotten the petitioner.
    Forgetting,
    /// The Automerge document.
    Document,
    /// Its changes.
    Changes,
    /// Take over rows of another system.
    Import,
    /// Answers for another system.
    Export,
    /// Decide.
    Decide,
    /// What places made known.
    Announcements,
    /// One notice.
    Announcement,
    /// Show whom a notice would reach.
    StageAnnouncement,
    /// Make something known.
    Announce,
    /// Take a notice back.
    Recall,
    /// What a register says of a matter.
    Stub,
    /// Open a matter below on record.
    OpenStub,
    /// List outcomes.
    Outcomes,
    /// One outcome.
    Outcome,
    /// Procedures in force.
    Procedures,
    /// The file of one.
    ProcedureFile,
    /// What issuing a file would do.
    StageProcedure,
    /// Issue a procedure.
    IssueProcedure,
    /// The charter of a place.
    Charter,
    /// The file of its articles.
    CharterFile,
    /// What issuing articles would do.
    StageCharter,
    /// Issue articles.
    IssueCharter,
    /// What issuing a holiday notice would do.
    StageNotice,
    /// Issue a holiday notice.
    IssueNotice,
    /// What is handed over at the end of a term.
    Handover,
    /// What is late, not heard from, arrived late.
    Supervision,
    /// The links.
    Link,
    /// Dial the parent now.
    Reconnect,
    /// List people.
    Users,
    /// Add a person.
    AddUser,
    /// List tokens.
    Tokens,
    /// Make a token.
    AddToken,
    /// Withdraw a token.
    EndToken,
    /// Sign in.
    SignIn,
    /// Sign out.
    SignOut,
    /// The OpenAPI document.
    OpenApi,
}
