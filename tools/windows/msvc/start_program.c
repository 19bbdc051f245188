/* SPDX-License-Identifier: MIT
 * Where the loader enters a program that has wmain, beside start.c: apart from
 * it, since a DLL has none. */
#include <stdint.h>

int wmain(int count, uint16_t **arguments);
void wmainCRTStartup(void);

__declspec(dllimport) const uint16_t *GetCommandLineW(void);
__declspec(dllimport) uint16_t **CommandLineToArgvW(const uint16_t *line,
                                                    int *count);
__declspec(dllimport) _Noreturn void ExitProcess(unsigned status);

void wmainCRTStartup(void) {
    int count = 0;
    uint16_t **arguments = CommandLineToArgvW(GetCommandLineW(), &count);

    ExitProcess(arguments ? (unsigned)wmain(count, arguments) : 3);
}
