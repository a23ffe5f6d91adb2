// What a provider's grammar lets through: the checks behind Provider::make() and Provider::complaint().
#pragma once

#include "chipgate/provider/provider.hpp"

namespace chipgate::provider {

// The grammars of one provider, read.
struct Grammar {
  Template username;
  Template password;

  bool mentions(Placeholder which) const { return username.mentions(which) || password.mentions(which); }
  bool demands(Placeholder which) const { return username.demands(which) || password.demands(which); }
};

// Everything that is wrong with the options, but not with the templates' own syntax.
Complaints check(const ProviderOptions&, const Preset&, const Grammar&);

// Why a session identifier of this chip would be misread by the grammar, if it would.
std::optional<std::string> misread(const ChipId&, const Grammar&);

}  // namespace chipgate::provider
