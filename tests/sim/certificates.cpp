// Making certificates with OpenSSL.
#include "sim/certificates.hpp"

#include "chipgate/base/address.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace chipgate::sim {
namespace {

constexpr long day = 24 * 60 * 60;

template <class T>
T* made(T* pointer) {
  if (pointer == nullptr) throw std::runtime_error("OpenSSL cannot make a certificate");
  return pointer;
}

void set_serial(X509* certificate) {
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
}

void set_subject(X509* certificate, const std::string& name) {
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0);
}

void set_days(X509* certificate, long from, long until) {
  X509_gmtime_adj(X509_getm_notBefore(certificate), from * day);
  X509_gmtime_adj(X509_getm_notAfter(certificate), until * day);
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = made(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& one : names) {
    if (!all.empty()) all += ',';
    all += (IpAddress::parse(one) ? "IP:" : "DNS:") + one;
  }
  return all;
}

}  // namespace

void FreeKey::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void FreeCertificate::operator()(x509_st* certificate) const { X509_free(certificate); }

CertificateAuthority::CertificateAuthority()
    : key_(made(EVP_EC_gen("P-256"))), leaf_key_(made(EVP_EC_gen("P-256"))), certificate_(made(X509_new())) {
  auto* certificate = certificate_.get();
  X509_set_version(certificate, X509_VERSION_3);
  set_serial(certificate);
  set_subject(certificate, "gateway-sim CA");
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  set_days(certificate, -1, 30);
  X509_set_pubkey(certificate, key_.get());
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  X509_sign(certificate, key_.get(), EVP_sha256());
}

CertificatePtr CertificateAuthority::mint(const std::vector<std::string>& names, Validity validity,
                                          Signer signer) const {
  CertificatePtr leaf(made(X509_new()));
  auto* issuer = signer == Signer::authority ? certificate_.get() : leaf.get();
  X509_set_version(leaf.get(), X509_VERSION_3);
  set_serial(leaf.get());
  set_subject(leaf.get(), names.front());
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer));
  if (validity == Validity::good) {
    set_days(leaf.get(), -1, 30);
  } else {
    set_days(leaf.get(), -30, -1);
  }
  X509_set_pubkey(leaf.get(), leaf_key_.get());
  add_extension(leaf.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf.get(), issuer, NID_ext_key_usage, "serverAuth");
  add_extension(leaf.get(), issuer, NID_subject_alt_name, alternative_names(names));
  // Who trusts several simulators finds the right authority among those of one name.
  if (signer == Signer::authority) add_extension(leaf.get(), issuer, NID_authority_key_identifier, "keyid");
  X509_sign(leaf.get(), signer == Signer::authority ? key_.get() : leaf_key_.get(), EVP_sha256());
  return leaf;
}

std::string CertificateAuthority::pem() const {
  BIO* memory = made(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory, certificate_.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string copy(text, static_cast<std::size_t>(size));
  BIO_free(memory);
  return copy;
}

}  // namespace chipgate::sim
