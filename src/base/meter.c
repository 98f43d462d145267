/* Rates; see meter.h. */
#include "base/meter.h"

void
meter_start(struct meter *meter, int64_t now)
{
	*meter = (struct meter){
		.samples = { { .at = now } },
		.next = 1,
		.count = 1,
		.last = { .at = now },
		.began = now,
	};
}

/* The sample before the next one by n. */
static const struct meter_sample *
meter_sample(const struct meter *meter, size_t n)
{
	return &meter->samples[(meter->next + METER_SAMPLES - n) % METER_SAMPLES];
}

void
meter_set(struct meter *meter, uint64_t bytes, int64_t now)
{
	meter->last = (struct meter_sample){ .at = now, .bytes = bytes };
	if (now - meter_sample(meter, 1)->at < CLOCK_SECOND)
		return;
	meter->samples[meter->next] = meter->last;
	meter->next = (meter->next + 1) % METER_SAMPLES;
	if (meter->count < METER_SAMPLES)
		meter->count++;
}

static uint64_t
meter_divide(uint64_t bytes, int64_t span)
{
	double rate = span > 0 ? (double)bytes * (double)CLOCK_SECOND / (double)span : 0;
	/* 2^64 */
	return rate < 18446744073709551616.0 ? (uint64_t)rate : UINT64_MAX;
}

uint64_t
meter_rate(const struct meter *meter, int64_t span)
{
	const struct meter_sample *from = meter_sample(meter, 1), *last = &meter->last;
	for (size_t n = 2; n <= meter->count && last->at - from->at < span; n++)
		from = meter_sample(meter, n);
	return meter_divide(
		last->bytes > from->bytes ? last->bytes - from->bytes : 0, last->at - from->at);
}

uint64_t
meter_mean(const struct meter *meter)
{
	return meter_divide(meter->last.bytes, meter->last.at - meter->began);
}

int64_t
meter_eta(const struct meter *meter, uint64_t size)
{
	uint64_t rate = meter_rate(meter, METER_WINDOW);
	if (size <= meter->last.bytes || rate == 0)
		return 0;
	double eta = (double)(size - meter->last.bytes) / (double)rate * (double)CLOCK_SECOND;
	/* 2^63 */
	return eta < 9223372036854775808.0 ? (int64_t)eta : 0;
}
