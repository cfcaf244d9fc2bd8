// librdkafka as Swift sees it: its own headers, plus one function where the library is variadic.
#ifndef CRDKAFKA_H
#define CRDKAFKA_H
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#endif
