//! Which prices are meant by the names that an agent sends.

use super::{clause::Clause, names::spellings, rates::PriceHistory, seller::Seller};

/// All entries of a table, in its order.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    pub(super) providers: Vec<Provider>,
}

/// Who sells models.
#[derive(Debug)]
pub(super) struct Provider {
    /// Its id as [`plain`](super::seller::plain) writes it.
    pub(super) plain_id: Box<str>,
    /// Names for it besides its id.
    pub(super) names: Option<Clause>,
    /// Names of the models that it makes.
    pub(super) makes: Option<Clause>,
    /// Places of those whose prices hold for what it does not list.
    pub(super) fallback: Box<[usize]>,
    pub(super) models: Vec<Model>,
}

/// A model as one provider sells it.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) names: Clause,
    pub(super) prices: PriceHistory,
}

impl Catalogue {
    /// The prices of a model. A provider that the table knows is asked alone. Where it is not known, the
    /// name itself may say who it is (`openai/gpt-4o`), then the model's maker is asked, then everybody in
    /// order.
    pub(super) fn find(&self, provider: &str, model: &str) -> Option<&PriceHistory> {
        let name = model.trim().to_lowercase();
        let in_name = name.split_once('/').map(|(first, rest)| (self.seller(first), rest));
        let found = match (self.seller(provider), in_name) {
            (Seller::OwnMachine, _) | (Seller::Unknown, Some((Seller::OwnMachine, _))) => None,
            (Seller::Known(provider), _) if !provider.is_imitated() => self.sold_by(provider, &name),
            (Seller::Known(provider), in_name) => self
                .sold_by(provider, &name)
                .or_else(|| self.sold_as_named(in_name))
                .or_else(|| self.sold_by_maker(&name)),
            (Seller::Unknown, in_name) => self.sold_as_named(in_name).or_else(|| self.sold_by_anyone(&name)),
        };
        found.map(|model| &model.prices)
    }

    fn sold_by<'a>(&'a self, provider: &'a Provider, name: &str) -> Option<&'a Model> {
        let fallback = || provider.fallback.iter().filter_map(|place| self.providers.get(*place));
        spellings(name)
            .iter()
            .find_map(|name| provider.model(name).or_else(|| fallback().find_map(|other| other.model(name))))
    }

    /// What a name like `openai/gpt-4o` means. Such names are as much the broker's, so where the one that
    /// is named has no price, others are asked.
    fn sold_as_named<'a>(&'a self, in_name: Option<(Seller<'a>, &str)>) -> Option<&'a Model> {
        match in_name? {
            (Seller::Known(provider), name) => self.sold_by(provider, name).filter(|model| model.has_price()),
            _ => None,
        }
    }

    fn sold_by_maker(&self, name: &str) -> Option<&Model> {
        let makes = |provider: &&Provider| provider.makes.as_ref().is_some_and(|clause| clause.matches(name));
        self.providers.iter().filter(makes).find_map(|provider| provider.priced_model(name))
    }

    fn sold_by_anyone(&self, name: &str) -> Option<&Model> {
        let anyone = |name: &str| self.providers.iter().find_map(|provider| provider.priced_model(name));
        spellings(name).iter().find_map(|name| self.sold_by_maker(name).or_else(|| anyone(name)))
    }
}

impl Provider {
    fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.names.matches(name))
    }

    fn priced_model(&self, name: &str) -> Option<&Model> {
        self.model(name).filter(|model| model.has_price())
    }
}

impl Model {
    fn has_price(&self) -> bool {
        self.prices.iter().any(|dated| dated.rates.price_tokens())
    }
}
