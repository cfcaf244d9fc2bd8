/* Running a pattern over a text. Both ways are linear: whether it stands there is asked of an automaton whose states are
 * made when first met; where it stands, of a list of threads in the order a backtracking engine would try them (Pike).
 * What a call costs is counted in instructions looked at, as if no state had been made before, so that it depends on
 * pattern and text alone. */
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

#include "pattern_internal.h"
#include "text_internal.h"

enum { PROGRAM_ROOM = 5000, STATES_MAX = 2000, AUTOMATON_BYTES_MAX = 128 << 10, STARTS_MAX = 1 << 20 };
/* A thread with its places costs about as much as three steps of the automaton. More than so many places at once cost twice. */
enum { THREAD_COST = 4, STATE_SMALL = 64 };
/* What stood before, and what comes next. */
enum { CONTEXT_EDGE = 0, CONTEXT_NEWLINE, CONTEXT_WORD, CONTEXT_OTHER, CONTEXTS };

/* Where work is done that no pattern needs to keep. */
struct machine {
  uint32_t generation;
  uint32_t visited[PROGRAM_ROOM], added[PROGRAM_ROOM];
  int32_t stack[3 * (2 * PROGRAM_ROOM + 2)];
  int32_t lists[3][PROGRAM_ROOM];
  int32_t places[2][PROGRAM_ROOM][SLOTS_MAX];
};

/* ---- Preparing ---- */

static int contains(const struct set *set, UChar32 c) {
  int32_t low = 0, high = set->count;
  while (low < high) {
    int32_t middle = (low + high) / 2;
    if (set->ranges[middle].last < c) low = middle + 1;
    else high = middle;
  }
  return low < set->count && set->ranges[low].first <= c;
}

static int compare_chars(const void *left, const void *right) {
  UChar32 a = *(const UChar32 *)left, b = *(const UChar32 *)right;
  return (a > b) - (a < b);
}

/* Starts of the intervals that no instruction divides, sorted, into `out`; their number. */
static int32_t collect_edges(const ct_pattern *pattern, UChar32 *out) {
  int32_t count = 0;
  out[count++] = 0;
  for (int32_t at = 0; at < pattern->count; at++) {
    if (pattern->program[at].op != OP_CHAR) continue;
    out[count++] = pattern->program[at].x;
    out[count++] = pattern->program[at].x + 1;
  }
  for (int32_t set = 0; set < pattern->set_count; set++) {
    for (int32_t range = 0; range < pattern->sets[set].count; range++) {
      out[count++] = pattern->sets[set].ranges[range].first;
      out[count++] = pattern->sets[set].ranges[range].last + 1;
    }
  }
  if (pattern->has_assertions) out[count++] = '\n', out[count++] = '\n' + 1;
  qsort(out, (size_t)count, sizeof *out, compare_chars);
  int32_t kept = 0;
  for (int32_t at = 0; at < count; at++) {
    if (out[at] <= 0x10ffff && (kept == 0 || out[kept - 1] != out[at])) out[kept++] = out[at];
  }
  return kept;
}

static int class_of(ct_pattern *pattern, UChar32 c) {
  if (c < 0x80) return pattern->ascii_classes[c];
  struct recent_class *recent = &pattern->recent[c % RECENT_CLASSES];
  if (recent->c == c) return recent->class;
  int32_t low = 0, high = pattern->interval_count;
  while (high - low > 1) {
    int32_t middle = (low + high) / 2;
    if (pattern->interval_starts[middle] <= c) low = middle;
    else high = middle;
  }
  *recent = (struct recent_class){c, pattern->interval_classes[low]};
  return recent->class;
}

/* Gives intervals that all instructions treat alike one class. 0 where memory is short or the classes are too many. */
static int make_classes(ct_pattern *pattern) {
  size_t capacity = (size_t)pattern->interval_count;
  uint64_t *signatures = malloc(capacity * sizeof *signatures);
  pattern->samples = malloc(capacity * sizeof *pattern->samples);
  pattern->interval_classes = malloc(capacity * sizeof *pattern->interval_classes);
  if (!signatures || !pattern->samples || !pattern->interval_classes) return free(signatures), 0;
  for (int32_t at = 0; at < pattern->interval_count; at++) {
    UChar32 c = pattern->interval_starts[at];
    uint64_t signature = 0x9e3779b97f4a7c15;
    int is_char = 0;
    for (int32_t pc = 0; pc < pattern->count && !is_char; pc++) {
      is_char = pattern->program[pc].op == OP_CHAR && pattern->program[pc].x == c;
    }
    if (is_char) signature = (signature ^ ((uint64_t)c + 1)) * 0xff51afd7ed558ccd;
    for (int32_t set = 0; set < pattern->set_count; set++) {
      signature = (signature + 1 + (uint64_t)contains(&pattern->sets[set], c)) * 0xff51afd7ed558ccd;
      signature ^= signature >> 31;
    }
    if (pattern->has_assertions && c == '\n') signature = ~signature;
    int32_t class = 0;
    while (class < pattern->class_count && signatures[class] != signature) class++;
    if (class == CLASSES_MAX) return free(signatures), 0;
    if (class == pattern->class_count) {
      signatures[class] = signature;
      pattern->samples[class] = c;
      pattern->class_count++;
    }
    pattern->interval_classes[at] = (uint16_t)class;
  }
  free(signatures);
  for (UChar32 c = 0; c < 0x80; c++) {
    int32_t at = 0;
    while (at + 1 < pattern->interval_count && pattern->interval_starts[at + 1] <= c) at++;
    pattern->ascii_classes[c] = pattern->interval_classes[at];
  }
  return 1;
}

/* Whether every match begins with the text and ends with it: `^`, something, `$`, and no way around them. */
static int is_whole(const ct_pattern *pattern) {
  const struct instruction *program = pattern->program; /* SAVE, …, SAVE, MATCH */
  int32_t last = pattern->count - 3;
  if (last <= 1 || program[1].op != OP_ASSERT || program[1].assertion != AT_START) return 0;
  if (program[last].op != OP_ASSERT || program[last].assertion != AT_END) return 0;
  for (int32_t at = 0; at < last; at++) {
    if ((program[at].op == OP_SPLIT || program[at].op == OP_JUMP) && program[at].x > last) return 0;
    if (program[at].op == OP_SPLIT && program[at].y > last) return 0;
  }
  return 1;
}

int pattern_prepare(ct_pattern *pattern) {
  if (!pattern->text->machine) pattern->text->machine = calloc(1, sizeof *pattern->text->machine);
  size_t edges = 4 + 2 * (size_t)pattern->count;
  for (int32_t set = 0; set < pattern->set_count; set++) edges += 2 * (size_t)pattern->sets[set].count;
  pattern->interval_starts = malloc(edges * sizeof *pattern->interval_starts);
  if (!pattern->text->machine || !pattern->interval_starts) return 0;
  pattern->interval_count = collect_edges(pattern, pattern->interval_starts);
  if (!make_classes(pattern)) return 0;
  size_t classes = (size_t)pattern->class_count;
  pattern->accepted = calloc(classes * ((size_t)pattern->set_count + 1), 1);
  pattern->starts = calloc(CONTEXTS * CONTEXTS * (classes + 1), sizeof *pattern->starts);
  if (!pattern->accepted || !pattern->starts) return 0;
  for (size_t class = 0; class < classes; class++) {
    for (int32_t set = 0; set < pattern->set_count; set++) {
      pattern->accepted[(size_t)set * classes + class] = (uint8_t)contains(&pattern->sets[set], pattern->samples[class]);
    }
  }
  for (int32_t at = 0; at < pattern->count; at++) {
    if (pattern->program[at].op == OP_CHAR) pattern->program[at].y = class_of(pattern, pattern->program[at].x);
  }
  pattern->is_whole = is_whole(pattern);
  return 1;
}

ct_pattern *ct_pattern_create(ct_text *text, ct_slice source, int ignore_case, ct_pattern_error *error) {
  *error = (ct_pattern_error){0, NULL, NULL};
  if (source.count > CT_PATTERN_BYTES_MAX) {
    *error = (ct_pattern_error){CT_PATTERN_BYTES_MAX + 1, "a pattern has at most 4096 bytes", "a list of words or patterns"};
    return NULL;
  }
  ct_pattern *pattern = calloc(1, sizeof *pattern);
  uint8_t *copy = malloc(source.count + 1);
  if (pattern && copy) {
    memcpy(copy, source.bytes, source.count);
    *pattern = (ct_pattern){.text = text, .source = copy, .source_count = source.count, .ignore_case = ignore_case};
    if (pattern_parse(pattern, error) && pattern_prepare(pattern)) return pattern;
    copy = NULL;
  }
  if (!error->what) *error = (ct_pattern_error){1, "the pattern is too large for the memory there is", "a smaller one"};
  free(copy);
  ct_pattern_destroy(pattern);
  return NULL;
}

void ct_pattern_destroy(ct_pattern *pattern) {
  if (!pattern) return;
  for (int32_t set = 0; set < pattern->set_count; set++) free(pattern->sets[set].ranges);
  free(pattern->sets);
  free(pattern->source);
  free(pattern->program);
  free(pattern->interval_starts);
  free(pattern->interval_classes);
  free(pattern->samples);
  free(pattern->accepted);
  free(pattern->starts);
  free(pattern->start_kernels);
  free(pattern->states);
  free(pattern->kernels);
  free(pattern->transitions);
  free(pattern);
}

int32_t ct_pattern_size(const ct_pattern *pattern) { return pattern->count; }
ct_slice ct_pattern_source(const ct_pattern *pattern) { return (ct_slice){pattern->source, pattern->source_count}; }
int32_t ct_pattern_groups(const ct_pattern *pattern) { return pattern->groups; }
int ct_pattern_has_literals(const ct_pattern *pattern) { return pattern->literal_count > 0; }

/* ---- Stepping ---- */

static int context_of(const ct_pattern *pattern, UChar32 c) {
  if (!pattern->has_assertions) return CONTEXT_OTHER;
  return c < 0 ? CONTEXT_EDGE : c == '\n' ? CONTEXT_NEWLINE : pattern_is_word(c) ? CONTEXT_WORD : CONTEXT_OTHER;
}

static int holds(int assertion, int before, int after) {
  switch (assertion) {
    case AT_START: return before == CONTEXT_EDGE;
    case AT_END: return after == CONTEXT_EDGE;
    case AT_LINE_START: return before <= CONTEXT_NEWLINE;
    case AT_LINE_END: return after <= CONTEXT_NEWLINE;
    case AT_WORD: return (before == CONTEXT_WORD) != (after == CONTEXT_WORD);
    default: return (before == CONTEXT_WORD) == (after == CONTEXT_WORD);
  }
}

/* Whether the instruction takes a character of `class`; the class past the last is the end of the text. */
static int accepts(const ct_pattern *pattern, const struct instruction *instruction, int class) {
  if (class == pattern->class_count) return 0;
  if (instruction->op == OP_CHAR) return instruction->y == class;
  return pattern->accepted[(size_t)instruction->x * (size_t)pattern->class_count + (size_t)class];
}

static uint32_t new_generation(struct machine *machine) {
  if (++machine->generation == 0) {
    memset(machine->visited, 0, sizeof machine->visited);
    memset(machine->added, 0, sizeof machine->added);
    machine->generation = 1;
  }
  return machine->generation;
}

struct step {
  int before, after, class;
  int32_t *out;
  int32_t out_count;
  int32_t cost;
  int is_match;
};

/* Follows one instruction as far as no character is needed, then over the character. */
static void follow(const ct_pattern *pattern, struct machine *machine, int32_t pc, struct step *step) {
  int32_t height = 0;
  machine->stack[height++] = pc;
  while (height > 0) {
    pc = machine->stack[--height];
    if (machine->visited[pc] == machine->generation) continue;
    machine->visited[pc] = machine->generation;
    step->cost++;
    const struct instruction *instruction = &pattern->program[pc];
    switch (instruction->op) {
      case OP_JUMP: machine->stack[height++] = instruction->x; break;
      case OP_SPLIT:
        machine->stack[height++] = instruction->y;
        machine->stack[height++] = instruction->x;
        break;
      case OP_SAVE: machine->stack[height++] = pc + 1; break;
      case OP_ASSERT:
        if (holds(instruction->assertion, step->before, step->after)) machine->stack[height++] = pc + 1;
        break;
      case OP_MATCH: step->is_match = 1; break;
      default:
        if (!accepts(pattern, instruction, step->class) || machine->added[pc + 1] == machine->generation) break;
        machine->added[pc + 1] = machine->generation;
        step->out[step->out_count++] = pc + 1;
    }
  }
}

/* Where a match that begins here goes: kept for ever, since every place of every text asks for it. */
static const struct start *start_of(ct_pattern *pattern, struct machine *machine, int before, int after, int class) {
  size_t index = ((size_t)before * CONTEXTS + (size_t)after) * ((size_t)pattern->class_count + 1) + (size_t)class;
  struct start *start = &pattern->starts[index];
  if (start->is_known) return start;
  new_generation(machine);
  struct step step = {.before = before, .after = after, .class = class, .out = machine->lists[2]};
  follow(pattern, machine, 0, &step);
  int32_t wanted = pattern->start_count + step.out_count;
  if (wanted > pattern->start_capacity) {
    int32_t capacity = wanted * 2 + 16;
    int32_t *moved = wanted > STARTS_MAX ? NULL : realloc(pattern->start_kernels, (size_t)capacity * sizeof *moved);
    if (!moved) { /* not kept: the list in the machine serves this once */
      pattern->spare = (struct start){1, step.is_match, -1, step.out_count};
      return &pattern->spare;
    }
    pattern->start_kernels = moved;
    pattern->start_capacity = capacity;
  }
  if (step.out_count > 0) {
    memcpy(pattern->start_kernels + pattern->start_count, step.out, (size_t)step.out_count * sizeof *step.out);
  }
  *start = (struct start){1, step.is_match, pattern->start_count, step.out_count};
  pattern->start_count = wanted;
  return start;
}

/* From the instructions at `kernel` over one character to those in `out`. */
static struct step take_step(ct_pattern *pattern, struct machine *machine, const int32_t *kernel, int32_t count, int before,
                             int after, int class, int32_t *out) {
  const struct start *start = start_of(pattern, machine, before, after, class);
  struct step step = {.before = before, .after = after, .class = class, .out = out, .cost = 1};
  const int32_t *starts = start->offset < 0 ? machine->lists[2] : pattern->start_kernels + start->offset;
  new_generation(machine);
  for (int32_t at = 0; at < count && !step.is_match; at++) follow(pattern, machine, kernel[at], &step);
  step.cost += start->count;
  step.is_match |= start->is_match;
  for (int32_t at = 0; at < start->count; at++) {
    if (machine->added[starts[at]] == machine->generation) continue;
    machine->added[starts[at]] = machine->generation;
    out[step.out_count++] = starts[at];
  }
  /* Many places at once are what holds a call up longest. Charged whether the state was known or not: the past is no reason. */
  if (step.cost > STATE_SMALL) step.cost += step.cost - STATE_SMALL;
  return step;
}

/* ---- The automaton ---- */

static void forget(ct_pattern *pattern) { pattern->state_count = pattern->kernel_count = pattern->is_full = 0; }

/* The number + 1 of the state with these instructions; 0 where there is no room for another one. */
static int32_t state_for(ct_pattern *pattern, const int32_t *kernel, int32_t count, int context) {
  uint32_t hash = (uint32_t)context + 1;
  for (int32_t at = 0; at < count; at++) hash = (hash ^ (uint32_t)kernel[at]) * 0x01000193;
  for (int32_t number = 0; number < pattern->state_count; number++) {
    const struct state *state = &pattern->states[number];
    if (state->hash == hash && state->count == count && state->context == context &&
        (count == 0 || memcmp(pattern->kernels + state->start, kernel, (size_t)count * sizeof *kernel) == 0)) {
      return number + 1;
    }
  }
  size_t stride = (size_t)pattern->class_count + 1;
  size_t bytes = (size_t)(pattern->state_count + 1) * (stride * sizeof(struct transition) + sizeof(struct state)) +
                 (size_t)(pattern->kernel_count + count) * sizeof *kernel;
  if ((bytes > AUTOMATON_BYTES_MAX && pattern->state_count >= 8) || pattern->state_count == STATES_MAX) return 0;
  if (pattern->state_count == pattern->state_capacity) {
    int32_t capacity = pattern->state_capacity ? pattern->state_capacity * 2 : 8;
    struct state *states = realloc(pattern->states, (size_t)capacity * sizeof *states);
    if (states) pattern->states = states;
    struct transition *transitions = realloc(pattern->transitions, (size_t)capacity * stride * sizeof *transitions);
    if (transitions) pattern->transitions = transitions;
    if (!states || !transitions) return 0;
    pattern->state_capacity = capacity;
  }
  if (pattern->kernel_count + count > pattern->kernel_capacity) {
    int32_t capacity = (pattern->kernel_count + count) * 2 + 16;
    int32_t *kernels = realloc(pattern->kernels, (size_t)capacity * sizeof *kernels);
    if (!kernels) return 0;
    pattern->kernels = kernels;
    pattern->kernel_capacity = capacity;
  }
  if (count > 0) memcpy(pattern->kernels + pattern->kernel_count, kernel, (size_t)count * sizeof *kernel);
  pattern->states[pattern->state_count] = (struct state){pattern->kernel_count, count, hash, (uint8_t)context};
  pattern->kernel_count += count;
  memset(pattern->transitions + (size_t)pattern->state_count * stride, 0, stride * sizeof(struct transition));
  return ++pattern->state_count;
}

static ct_slice cut(ct_slice source) {
  if (source.count > CT_TEXT_BYTES_MAX) source.count = CT_TEXT_BYTES_MAX;
  return source;
}

/* The character at `at`, which moves behind it; -1 at the end. What is not UTF-8 is U+FFFD. */
static UChar32 take_char(ct_slice source, int32_t *at) {
  UChar32 c;
  if (*at >= (int32_t)source.count) return -1;
  U8_NEXT(source.bytes, *at, (int32_t)source.count, c);
  return c < 0 ? 0xfffd : c;
}

int ct_pattern_match(ct_pattern *pattern, ct_slice source, int64_t *work) {
  struct machine *machine = pattern->text->machine;
  int64_t most = *work, cost = 0;
  size_t stride = (size_t)pattern->class_count + 1;
  source = cut(source);
  if (pattern->is_full) forget(pattern);
  int context = pattern->has_assertions ? CONTEXT_EDGE : CONTEXT_OTHER, side = 0, result = 0;
  int32_t state = state_for(pattern, NULL, 0, context), count = 0, at = 0;
  for (int is_end = 0; !is_end && result == 0;) {
    /* The way of nearly all characters: ASCII, from one known state to another. */
    while (state > 0 && at < (int32_t)source.count && source.bytes[at] < 0x80) {
      size_t index = (size_t)(state - 1) * stride + pattern->ascii_classes[source.bytes[at]];
      if (pattern->transitions[index].next <= TO_UNKNOWN) break;
      cost += pattern->transitions[index].cost;
      state = pattern->transitions[index].next;
      at++;
    }
    if (cost > most) break;
    UChar32 c = take_char(source, &at);
    is_end = c < 0;
    int class = is_end ? pattern->class_count : class_of(pattern, c);
    struct transition *transition =
        state ? &pattern->transitions[(size_t)(state - 1) * stride + (size_t)class] : NULL;
    if (transition && transition->next != TO_UNKNOWN) {
      cost += transition->cost;
      if (transition->next == TO_MATCH) result = 1;
      state = transition->next;
    } else {
      const int32_t *kernel = machine->lists[side];
      if (state) {
        kernel = pattern->kernels + pattern->states[state - 1].start;
        count = pattern->states[state - 1].count;
        context = pattern->states[state - 1].context;
      }
      int after = context_of(pattern, c);
      struct step step =
          take_step(pattern, machine, kernel, count, context, after, class, machine->lists[1 - side]);
      cost += step.cost;
      side = 1 - side;
      count = step.out_count;
      context = after;
      if (step.is_match) result = 1;
      int32_t from = state;
      if (state) {
        state = step.is_match ? TO_MATCH : state_for(pattern, machine->lists[side], count, context);
        if (state) pattern->transitions[(size_t)(from - 1) * stride + (size_t)class] = (struct transition){state, step.cost};
        else pattern->is_full = 1;
      }
    }
  }
  *work = cost;
  return result || cost <= most ? result : -1;
}

/* ---- Where ---- */

/* Follows one thread as far as no character is needed; appends those that wait for one, or match. */
static int32_t expand(const ct_pattern *pattern, struct machine *machine, int32_t pc, const int32_t *places, int before,
                      int after, int32_t position, int32_t count, int64_t *cost) {
  int32_t now[SLOTS_MAX], height = 0, *stack = machine->stack;
  size_t bytes = (size_t)pattern->groups * 2 * sizeof *now;
  memcpy(now, places, bytes);
  stack[height++] = pc, stack[height++] = -1, stack[height++] = 0;
  while (height > 0) {
    int32_t old = stack[--height], slot = stack[--height];
    pc = stack[--height];
    if (slot >= 0) {
      now[slot] = old;
      continue;
    }
    for (;;) {
      if (machine->visited[pc] == machine->generation) break;
      machine->visited[pc] = machine->generation;
      *cost += THREAD_COST;
      const struct instruction *instruction = &pattern->program[pc];
      if (instruction->op == OP_JUMP) {
        pc = instruction->x;
      } else if (instruction->op == OP_SPLIT) {
        stack[height++] = instruction->y, stack[height++] = -1, stack[height++] = 0;
        pc = instruction->x;
      } else if (instruction->op == OP_SAVE) {
        stack[height++] = 0, stack[height++] = instruction->x, stack[height++] = now[instruction->x];
        now[instruction->x] = position;
        pc++;
      } else if (instruction->op == OP_ASSERT) {
        if (!holds(instruction->assertion, before, after)) break;
        pc++;
      } else {
        machine->lists[1][count] = pc;
        memcpy(machine->places[1][count], now, bytes);
        count++;
        break;
      }
    }
  }
  return count;
}

int ct_pattern_bounds(ct_pattern *pattern, ct_slice source, int32_t bounds[2], int64_t *work) {
  int32_t places[2 * CT_PATTERN_GROUPS_MAX];
  if (!pattern->is_whole) {
    int found = ct_pattern_find(pattern, source, 0, places, work);
    if (found > 0) memcpy(bounds, places, 2 * sizeof *bounds);
    return found;
  }
  bounds[0] = 0;
  bounds[1] = (int32_t)cut(source).count;
  *work = 0;
  return 1;
}

int ct_pattern_find(ct_pattern *pattern, ct_slice source, size_t from, int32_t places[2 * CT_PATTERN_GROUPS_MAX],
                    int64_t *work) {
  struct machine *machine = pattern->text->machine;
  int64_t most = *work, cost = 0;
  size_t bytes = (size_t)pattern->groups * 2 * sizeof *places;
  int32_t none[SLOTS_MAX], at = (int32_t)from, kernel_count = 0;
  int found = 0, context = pattern->has_assertions ? CONTEXT_EDGE : CONTEXT_OTHER;
  source = cut(source);
  memset(none, 0xff, sizeof none);
  if (from > source.count) return *work = 0, 0;
  if (from > 0) {
    UChar32 before;
    int32_t back = at;
    U8_PREV(source.bytes, 0, back, before);
    context = context_of(pattern, before < 0 ? 0xfffd : before);
  }
  for (int is_end = 0; !is_end;) {
    int32_t position = at;
    UChar32 c = take_char(source, &at);
    is_end = c < 0;
    int class = is_end ? pattern->class_count : class_of(pattern, c);
    int after = context_of(pattern, c);
    cost++;
    if (kernel_count == 0) {
      if (found) break;
      const struct start *start = start_of(pattern, machine, context, after, class);
      if (start->count == 0 && !start->is_match) {
        context = after;
        if (cost > most) return *work = cost, -1;
        continue;
      }
    }
    new_generation(machine);
    int32_t count = 0;
    for (int32_t thread = 0; thread < kernel_count; thread++) {
      count = expand(pattern, machine, machine->lists[0][thread], machine->places[0][thread], context, after, position,
                     count, &cost);
    }
    if (!found) count = expand(pattern, machine, 0, none, context, after, position, count, &cost);
    kernel_count = 0;
    for (int32_t thread = 0; thread < count; thread++) {
      const struct instruction *instruction = &pattern->program[machine->lists[1][thread]];
      int32_t next = machine->lists[1][thread] + 1;
      if (instruction->op == OP_MATCH) { /* the threads after it would be tried later */
        memcpy(places, machine->places[1][thread], bytes);
        found = 1;
        break;
      }
      if (!accepts(pattern, instruction, class) || machine->added[next] == machine->generation) continue;
      machine->added[next] = machine->generation;
      machine->lists[0][kernel_count] = next;
      memcpy(machine->places[0][kernel_count], machine->places[1][thread], bytes);
      kernel_count++;
    }
    context = after;
    if (cost > most) return *work = cost, -1;
  }
  *work = cost;
  return found;
}
