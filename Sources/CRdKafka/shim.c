#include "CRdKafka.h"

const int64_t crdkafka_offset_beginning = RD_KAFKA_OFFSET_BEGINNING;
const int64_t crdkafka_offset_end = RD_KAFKA_OFFSET_END;

_Static_assert(sizeof(void *) >= sizeof(uint64_t), "a token travels in a pointer-sized opaque");

rd_kafka_resp_err_t crdkafka_send(rd_kafka_t *client, rd_kafka_topic_t *topic, const void *key, size_t key_length,
                                  const void *value, size_t value_length, int64_t timestamp_ms, uint64_t token) {
  const void *some_key = key ? key : "";
  const void *some_value = value ? value : "";
  return rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                           RD_KAFKA_V_KEY(some_key, key_length),
                           RD_KAFKA_V_VALUE((void *)some_value, value_length), RD_KAFKA_V_TIMESTAMP(timestamp_ms),
                           RD_KAFKA_V_OPAQUE((void *)(uintptr_t)token), RD_KAFKA_V_END);
}
