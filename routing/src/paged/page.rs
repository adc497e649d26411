//! A page that a copy may share.

use std::ops::Deref;
use std::sync::Arc;

/// Entries that are kept together: a collection's own, or shared with a copy of it.
///
/// Not always an [`Arc`]: looking whether it is shared takes an atomic exchange each time, and with
/// one at each change a command took two fifths longer.
#[derive(Debug, Clone)]
pub(crate) enum Page<S> {
    Own(Box<S>),
    Shared(Arc<S>),
}

impl<S: Default> Default for Page<S> {
    fn default() -> Self {
        Self::Own(Box::default())
    }
}

impl<S> Deref for Page<S> {
    type Target = S;

    fn deref(&self) -> &S {
        match self {
            Self::Own(entries) => entries,
            Self::Shared(entries) => entries,
        }
    }
}

impl<S: Clone + Default> Page<S> {
    /// To be changed: a shared one is copied, unless the other has gone.
    pub(crate) fn get_mut(&mut self) -> &mut S {
        if let Self::Shared(entries) = self {
            let own = match Arc::get_mut(entries) {
                Some(entries) => std::mem::take(entries),
                None => S::clone(entries),
            };
            *self = Self::Own(Box::new(own));
        }
        match self {
            Self::Own(entries) => entries,
            Self::Shared(_) => unreachable!("it was made its own"),
        }
    }

    /// A copy that shares the entries until they are changed here.
    pub(crate) fn share(&mut self) -> Self {
        if let Self::Own(entries) = self {
            *self = Self::Shared(Arc::new(std::mem::take(entries)));
        }
        self.clone()
    }
}
