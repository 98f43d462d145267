# Compiler and linker flags, each one tested before use; the accepted ones are printed at configure
# time. tests/hardening.bats checks the binary.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
include(CheckIncludeFile)
include(CheckPIESupported)
include(CheckLinkerFlag)

add_library(sockcat_flags INTERFACE)
target_compile_definitions(sockcat_flags INTERFACE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)

set(sockcat_table "")

# A compiler wrapper such as musl-gcc does not find the kernel's headers.
if(SOCKCAT_SYSTEM STREQUAL "linux")
    check_include_file(linux/sockios.h have_kernel_headers)
    if(NOT have_kernel_headers)
        set(sockcat_machine "${CMAKE_SYSTEM_PROCESSOR}-linux-gnu")
        target_compile_options(sockcat_flags INTERFACE
            "SHELL:-idirafter /usr/include" "SHELL:-idirafter /usr/include/${sockcat_machine}")
    endif()
endif()

function(sockcat_compile_flag flag)
    string(MAKE_C_IDENTIFIER "have${flag}" have)
    # clang takes unknown warnings silently without this
    set(CMAKE_REQUIRED_FLAGS "-Werror")
    check_c_compiler_flag("${flag}" ${have})
    if(${have})
        target_compile_options(sockcat_flags INTERFACE "${flag}")
        set(sockcat_table "${sockcat_table}  yes ${flag}\n" PARENT_SCOPE)
    else()
        set(sockcat_table "${sockcat_table}  NO  ${flag}\n" PARENT_SCOPE)
    endif()
endfunction()

# The flag, or an expression that gives it to some targets only.
function(sockcat_link_flag flag)
    string(MAKE_C_IDENTIFIER "have_link${flag}" have)
    check_linker_flag(C "${flag}" ${have})
    list(GET ARGV -1 option)
    if(${have})
        target_link_options(sockcat_flags INTERFACE "${option}")
        set(sockcat_table "${sockcat_table}  yes ${flag} (link)\n" PARENT_SCOPE)
    else()
        set(sockcat_table "${sockcat_table}  NO  ${flag} (link)\n" PARENT_SCOPE)
    endif()
endfunction()

# The macros of musl's headers convert signs where they are expanded.
set(CMAKE_REQUIRED_FLAGS "-Werror -Wsign-conversion")
check_c_source_compiles("
    #include <stddef.h>
    #include <sys/socket.h>
    int main(void)
    {
        struct msghdr message = { NULL };
        return CMSG_NXTHDR(&message, CMSG_FIRSTHDR(&message)) != NULL;
    }" have_headers_without_sign_conversion)
unset(CMAKE_REQUIRED_FLAGS)
set(sockcat_sign_conversion -Wno-sign-conversion)
if(have_headers_without_sign_conversion)
    set(sockcat_sign_conversion -Wsign-conversion)
endif()

foreach(flag
        -Wall -Wextra -Wpedantic -Wformat=2 -Wconversion ${sockcat_sign_conversion} -Wimplicit-fallthrough
        -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wshadow
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wswitch-enum
        -Werror=implicit-function-declaration
        -Wduplicated-cond -Wlogical-op -Wjump-misses-init -Wtrampolines
        -fno-common -fno-delete-null-pointer-checks -fno-strict-overflow
        "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
    sockcat_compile_flag("${flag}")
endforeach()

if(SOCKCAT_WERROR)
    target_compile_options(sockcat_flags INTERFACE -Werror)
endif()

if(SOCKCAT_SANITIZE)
    # No _FORTIFY_SOURCE and no automatic initialisation: they hide errors from the sanitizers.
    target_compile_options(sockcat_flags INTERFACE -fsanitize=${SOCKCAT_SANITIZE}
        -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
    target_link_options(sockcat_flags INTERFACE -fsanitize=${SOCKCAT_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(sockcat_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    foreach(flag
            -fstack-protector-strong -fstack-clash-protection
            -fcf-protection=full -mbranch-protection=standard
            -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr -fstrict-flex-arrays=3)
        sockcat_compile_flag("${flag}")
    endforeach()
    if(have_fcf_protection_full AND NOT SOCKCAT_STATIC)
        # The linker keeps the CET features that all objects have, and Debian's start files (Scrt1.o,
        # crti.o, crtn.o) have none. Shadow stacks work with them, as they only call and return. IBT
        # does not: their entry points lack endbr64, so that feature is left to the objects.
        sockcat_link_flag(-Wl,-z,shstk)
    endif()
    foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
        sockcat_link_flag("${flag}")
    endforeach()
    # A plug-in is there to be opened.
    sockcat_link_flag(-Wl,-z,nodlopen "$<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,MODULE_LIBRARY>>:-Wl,-z,nodlopen>")
endif()

if(SOCKCAT_STATIC)
    target_link_options(sockcat_flags INTERFACE -static -no-pie)
endif()

check_pie_supported(OUTPUT_VARIABLE sockcat_pie LANGUAGES C)
if(NOT CMAKE_C_LINK_PIE_SUPPORTED)
    set(sockcat_table "${sockcat_table}  NO  PIE: ${sockcat_pie}\n")
endif()

message(STATUS "Compiler and linker flags (${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}):\n"
    "${sockcat_table}")
