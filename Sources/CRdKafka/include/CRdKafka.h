// librdkafka as Swift sees it: its own headers, plus one function where the library is variadic,
// and the constants whose macros do not cross into Swift.
#ifndef CRDKAFKA_H
#define CRDKAFKA_H
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stddef.h>
#include <stdint.h>

// Queues one message, copying key and value (rd_kafka_producev with RD_KAFKA_MSG_F_COPY).
//
// Neither key nor value is ever null on the wire: a null pointer with length 0 is sent as empty bytes, because
// librdkafka would send a message without key to a random partition. The token comes back in the delivery report.
// A timestamp of 0 means "now" to librdkafka. The result is a plain code: rd_kafka_produceva would return an
// rd_kafka_error_t that has to be freed, exactly when the queue is full.
rd_kafka_resp_err_t crdkafka_send(rd_kafka_t *client, rd_kafka_topic_t *topic, const void *key, size_t key_length,
                                  const void *value, size_t value_length, int64_t timestamp_ms, uint64_t token);

// RD_KAFKA_OFFSET_BEGINNING and RD_KAFKA_OFFSET_END.
extern const int64_t crdkafka_offset_beginning;
extern const int64_t crdkafka_offset_end;
#endif
