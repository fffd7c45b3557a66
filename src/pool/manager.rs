//! What bb8 asks of us: whether a connection is still good.

use super::member::Member;
use crate::error::Error;

pub struct Manager;

impl bb8::ManageConnection for Manager {
    type Connection = Member;
    type Error = Error;

    /// Never called: bb8 gives errors of failed attempts to nobody in particular, so connections are made by [`super::opening`], which
    /// knows who waits for each, and added when they are there.
    async fn connect(&self) -> Result<Member, Error> {
        Err(Error::internal("bb8 was asked for a connection it does not have"))
    }

    /// Never called: checkouts are tested by the dispatcher, which knows which ones need it.
    async fn is_valid(&self, _: &mut Member) -> Result<(), Error> {
        Ok(())
    }

    fn has_broken(&self, member: &mut Member) -> bool {
        let spent = member.is_spent();
        if spent {
            member.retire(false);
        }
        spent
    }
}
