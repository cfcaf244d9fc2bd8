// The low-level SHA-256 calls of libcrypto cost 145 ns for 64 bytes, EVP costs 183 ns (docs/decisions).
// OpenSSL 3 marks them deprecated; they are there for as long as libssl 3 is.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <openssl/evp.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
