// The simulator's own certificate authority, made at start and forgotten at the end.
#pragma once

#include <memory>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace chipgate::sim {

struct FreeKey {
  void operator()(evp_pkey_st*) const;
};
struct FreeCertificate {
  void operator()(x509_st*) const;
};
using KeyPtr = std::unique_ptr<evp_pkey_st, FreeKey>;
using CertificatePtr = std::unique_ptr<x509_st, FreeCertificate>;

enum class Validity : unsigned char { good, expired };
enum class Signer : unsigned char { authority, itself };

// EC P-256. One key serves all leaves: who holds this process's memory holds everything anyway.
class CertificateAuthority {
 public:
  CertificateAuthority();

  // For names and IP addresses, the first of which is the subject.
  CertificatePtr mint(const std::vector<std::string>& names, Validity validity, Signer signer) const;
  evp_pkey_st* leaf_key() const { return leaf_key_.get(); }
  std::string pem() const;

 private:
  KeyPtr key_;
  KeyPtr leaf_key_;
  CertificatePtr certificate_;
};

}  // namespace chipgate::sim
