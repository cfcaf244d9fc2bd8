#ifndef CLUAHOST_H
#define CLUAHOST_H
#endif
