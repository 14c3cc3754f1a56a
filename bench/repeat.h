/* repeat.h - the same text many times, numbered.
 *
 * REPEAT_64(m, 0) is m(000) m(001) … m(077): the numbers are octal literals,
 * always of the same length, so that they serve in names as well.
 */
#ifndef BENCH_REPEAT_H
#define BENCH_REPEAT_H

#define REPEAT_4(m, p) m(p##0) m(p##1) m(p##2) m(p##3)
#define REPEAT_8(m, p) REPEAT_4(m, p) m(p##4) m(p##5) m(p##6) m(p##7)

#define REPEAT_16(m, p) REPEAT_8(m, p##0) REPEAT_8(m, p##1)
#define REPEAT_32(m, p)                                                        \
    REPEAT_8(m, p##0) REPEAT_8(m, p##1) REPEAT_8(m, p##2) REPEAT_8(m, p##3)
#define REPEAT_64(m, p)                                                        \
    REPEAT_32(m, p)                                                            \
    REPEAT_8(m, p##4) REPEAT_8(m, p##5) REPEAT_8(m, p##6) REPEAT_8(m, p##7)

#define REPEAT_256(m, p)                                                       \
    REPEAT_64(m, p##0) REPEAT_64(m, p##1) REPEAT_64(m, p##2) REPEAT_64(m, p##3)
#define REPEAT_512(m, p)                                                       \
    REPEAT_256(m, p)                                                           \
    REPEAT_64(m, p##4) REPEAT_64(m, p##5) REPEAT_64(m, p##6) REPEAT_64(m, p##7)

#define REPEAT_1024(m, p) REPEAT_512(m, p##0) REPEAT_512(m, p##1)
#define REPEAT_2048(m, p)                                                      \
    REPEAT_1024(m, p) REPEAT_512(m, p##2) REPEAT_512(m, p##3)

#endif
