/* Known misses: a rule that would only find again what it found before does not run.
 *
 * A rule is a function of what it asks the host: variables of outer functions cannot be assigned, tables made outside of `when`
 * are frozen (load.c), and nothing in the library has a clock, chance or memory of its own. So a run that asked a few questions
 * with small answers (how long a list is; a field or a feature that is nil, true, false or a small number; `young`) and found
 * nothing would find nothing again wherever the answers are the same. Each rule has a tree of such runs: a node is the question the rule
 * asks there, an edge is an answer, a leaf is the outcome. Most rules of most events end here, because most begin with
 * `if #event.links == 0 then return false end`.
 *
 * A run is learnt from only if everything it asked passed through lh_note. Whatever else of the event or of the rules' memory
 * it touches goes through lh_ask or lh_to_proxy, and each of these says that there is nothing to learn. */
#include <string.h>

#include "host_internal.h"

enum { ANSWER_NIL = -3, ANSWER_FALSE = -2, ANSWER_TRUE = -1, NUMBER_MAX = 255, OUTCOME_NONE = -1 };

lh_answer lh_answer_of(const lh_value *value) {
  switch (value->kind) {
    case LH_NIL: return (lh_answer){ANSWER_NIL, 1};
    case LH_FALSE: return (lh_answer){ANSWER_FALSE, 1};
    case LH_TRUE: return (lh_answer){ANSWER_TRUE, 1};
    case LH_INTEGER:
      return (lh_answer){(int16_t)value->integer, value->integer >= 0 && value->integer <= NUMBER_MAX};
    default: return (lh_answer){0, 0};
  }
}

void lh_note(lh_host *host, int kind, int subject, double seconds, const lh_value *value) {
  if (host->run_is_opaque) return;
  lh_answer answer = lh_answer_of(value);
  for (int at = 0; at < host->step_count; at++) {
    const struct lh_step *step = &host->steps[at];
    if (step->kind == kind && step->subject == subject && step->seconds == seconds) return;
  }
  if (!answer.is_small || host->step_count == LH_STEPS_MAX) {
    host->run_is_opaque = 1;
    return;
  }
  host->steps[host->step_count++] =
      (struct lh_step){.kind = (uint8_t)kind, .subject = (uint8_t)subject, .answer = answer.code, .seconds = seconds};
}

const lh_value *lh_age(lh_host *host) {
  if (!host->age_is_asked) {
    host->age_is_asked = 1;
    host->call.field(host->call.context, host->age_field, &host->age);
  }
  return &host->age;
}

/* The current event's answer to what was not asked yet; not small where it cannot be told without running the rule. */
static __attribute__((noinline)) lh_answer ask(lh_host *host, const struct lh_node *node) {
  int at = node->subject, which = node->kind == LH_STEP_COUNT;
  uint64_t bit = (uint64_t)1 << (at & 63);
  lh_value value = {0};
  switch (node->kind) {
    case LH_STEP_FIELD:
    case LH_STEP_COUNT:
      host->answered[which] |= bit;
      if (which) {
        value.kind = LH_INTEGER;
        value.integer = host->call.list_count(host->call.context, (uint32_t)at);
      } else {
        host->call.field(host->call.context, at, &value);
      }
      return host->answers[which][at] = lh_answer_of(&value);
    case LH_STEP_FEATURE:
      /* Working it out is the business of a rule that runs. */
      return lh_feature_is_known(host, at) ? host->feature_answers[at] : (lh_answer){0, 0};
    default:
      value.kind = lh_is_young(lh_age(host), node->seconds) ? LH_TRUE : LH_FALSE;
      return lh_answer_of(&value);
  }
}

/* The edge of an answer, which becomes the first: what is answered most is found at once. NULL where there is none. */
static struct lh_edge *find_edge(lh_host *host, struct lh_node *node, int16_t answer) {
  uint16_t edge = node->first, before = 0;
  while (edge && host->edges[edge].answer != answer) before = edge, edge = host->edges[edge].next;
  if (!edge) return NULL;
  if (before) {
    host->edges[before].next = host->edges[edge].next;
    host->edges[edge].next = node->first;
    node->first = edge;
  }
  return &host->edges[edge];
}

void lh_learns(lh_host *host, int32_t is_on) { host->never_learns = !is_on; }

int32_t lh_known(lh_host *host, int32_t rule, int64_t *used) {
  if (host->tracing || !host->roots) return LH_UNKNOWN;
  uint16_t at = host->roots[rule];
  while (at) {
    struct lh_node *node = &host->nodes[at];
    int which = node->kind == LH_STEP_COUNT;
    int is_answered = (which || node->kind == LH_STEP_FIELD) && host->answered[which] >> (node->subject & 63) & 1;
    lh_answer answer = is_answered ? host->answers[which][node->subject] : ask(host, node);
    if (!answer.is_small) return LH_UNKNOWN;
    struct lh_edge *edge = &host->edges[node->first]; /* edge 0 is none */
    if (edge->answer != answer.code || !node->first) {
      edge = find_edge(host, node, answer.code);
      if (!edge) return LH_UNKNOWN;
    }
    if (edge->outcome != OUTCOME_NONE) {
      *used = edge->used;
      return edge->outcome;
    }
    at = edge->node;
  }
  return LH_UNKNOWN;
}

/* Keeps what the run that just ended asked and found. Where there is no room it is not kept. */
void lh_learn(lh_host *host, int32_t rule, int32_t outcome) {
  if (host->run_is_opaque || host->tracing || host->never_learns || !host->roots || host->step_count == 0) return;
  if (host->node_count + host->step_count > LH_NODES_MAX || host->edge_count + host->step_count > LH_EDGES_MAX) return;
  uint16_t *place = &host->roots[rule];
  for (int at = 0; at < host->step_count; at++) {
    const struct lh_step *step = &host->steps[at];
    if (!*place) {
      *place = ++host->node_count;
      host->nodes[*place] =
          (struct lh_node){.kind = step->kind, .subject = step->subject, .seconds = step->seconds, .first = 0};
    }
    struct lh_node *node = &host->nodes[*place];
    /* The answers before decide what a rule asks next; should they not, nothing is built on it. */
    if (node->kind != step->kind || node->subject != step->subject || node->seconds != step->seconds) return;
    uint16_t edge = node->first;
    while (edge && host->edges[edge].answer != step->answer) edge = host->edges[edge].next;
    if (!edge) {
      edge = ++host->edge_count;
      host->edges[edge] = (struct lh_edge){.answer = step->answer, .outcome = OUTCOME_NONE, .next = node->first};
      node->first = edge;
    }
    if (at + 1 == host->step_count) {
      host->edges[edge].outcome = (int8_t)outcome;
      host->edges[edge].used = (int32_t)host->used;
    }
    place = &host->edges[edge].node;
  }
}
