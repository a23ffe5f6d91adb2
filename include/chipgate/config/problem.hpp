// What is wrong with a configuration, where, and what to do about it.
#pragma once

#include <string>
#include <vector>

namespace chipgate::config {

// No text of it carries a secret: values are quoted as they stand in the file, before ${VARIABLES} are filled in, and
// those of secrets not at all.
struct Problem {
  std::string file;
  int line = 0;         // from 1; 0 is the file as a whole
  std::string key;      // "gateway.endpoints[0]"
  std::string message;  // what is wrong with the key
  std::string hint;     // what may help, or empty
};

using Problems = std::vector<Problem>;

// Whether it warns of ports that lie where kernels usually take those of outgoing connections from. Whether this kernel
// does is another question.
bool is_about_ephemeral_ports(const Problem&);

// "file:line: key: message (hint)", without what is empty.
std::string text(const Problem&);

}  // namespace chipgate::config
